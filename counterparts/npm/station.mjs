// A station on ocpp-rpc: node station.mjs '{"endpoint", "identity", "protocol", "script", …}'.

import { readFileSync } from 'node:fs';
import { RPCClient, answerBy, readScript, say, tape, tell } from './script.mjs';

const door = JSON.parse(process.argv[2]);
const script = readScript(door.script);
const optional = (path) => (path ? readFileSync(path) : undefined);

const station = new RPCClient({
    endpoint: door.endpoint,
    identity: door.identity,
    protocols: [door.protocol],
    password: door.password ?? null,
    strictMode: true,
    reconnect: false,
    // Calls in flight at once: real stations send Boot and a row of StatusNotifications back to back.
    callConcurrency: door.pipelined,
    wsOpts: { ca: optional(door.ca), cert: optional(door.certificate), key: optional(door.key) },
});
tape(station, door.identity);
const myTurn = answerBy(script, 'station', station);

await station.connect();
await say(station, script.station);
await myTurn;
await say(station, script.farewell);
const { code } = await station.close({ code: 1000 });
tell({ closed: code });
