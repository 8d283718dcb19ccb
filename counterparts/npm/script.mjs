// What the station and the CSMS on ocpp-rpc share: the script, the tape on standard output, and how
// one side follows the script through the library.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// The packages live outside the source tree; NODE_PATH-like look-up works for `require` only.
const require = createRequire(`${process.env.COUNTERPARTS_NODE}/`);
export const { RPCClient, RPCServer, createRPCError } = require('ocpp-rpc');

export const YOUR_TURN = 'your-turn';
export function readScript(path) {
    return JSON.parse(readFileSync(path, 'utf8'));
}

/** One line of JSON for the driver. */
export function tell(line) {
    process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Tells the driver every payload of this connection, as text, in order. */
export function tape(client, station) {
    client.on('message', ({ message, outbound }) => {
        tell({ station, [outbound ? 'sent' : 'heard']: message.toString() });
    });
}

/** Answers by the script; the promise is kept when the other side hands over. */
export function answerBy(script, side, client) {
    return new Promise((resolve) => {
        for (const [action, answer] of Object.entries(script.answers[side])) {
            client.handle(action, ({ params }) => {
                // The answer leaves first: the library sends it before the event loop turns.
                if (params.messageId === YOUR_TURN) setImmediate(resolve);
                if (answer.refused) throw createRPCError(answer.refused, 'not in this scene');
                return answer;
            });
        }
    });
}

/** Says the steps one by one, or, where the client's `callConcurrency` allows, all at once. */
export async function say(client, steps) {
    await Promise.all(steps.map(async (step) => {
        const refusal = await client.call(step.action, step.payload).then(() => null, (error) => error);
        if (Boolean(refusal) !== Boolean(step.fails)) {
            throw new Error(`${step.action}: ${refusal ?? 'was expected to be refused'}`);
        }
    }));
}
