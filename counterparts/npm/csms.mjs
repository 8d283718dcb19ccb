// A CSMS on ocpp-rpc in strict mode: node csms.mjs '{"1.6": "script.json", …}'. It tells the driver
// its port, then every visit; it ends when the driver closes its standard input.

import { RPCServer, answerBy, readScript, say, tape, tell } from './script.mjs';

const scripts = Object.fromEntries(
    Object.entries(JSON.parse(process.argv[2])).map(([version, path]) => [`ocpp${version}`, readScript(path)]),
);

const csms = new RPCServer({
    protocols: Object.keys(scripts),
    strictMode: true,
});

csms.auth((accept, _reject, { request }) => {
    tell({ asked: request.url });
    accept({ path: request.url, headers: request.rawHeaders });
});

csms.on('client', (client) => {
    const station = client.identity;
    const { path, headers } = client.session;
    tell({ station, path, headers, subprotocol: client.protocol });
    tape(client, station);
    const script = scripts[client.protocol];
    let trouble = null;
    answerBy(script, 'csms', client)
        .then(() => say(client, script.csms))
        .catch((error) => { trouble = String(error); });
    client.on('close', () => tell({ station, over: true, trouble }));
});

const server = await csms.listen(0, '127.0.0.1');
tell({ listening: server.address().port });
process.stdin.on('end', () => process.exit(0)).resume();
