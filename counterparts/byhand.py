"""Scenes no library would play by itself: frames written by hand, odd spellings, a CSMS that speaks
too early or too late. `websockets` carries the frames; each scene is one station and its CSMS."""

import asyncio
import contextlib
import json
import random
from base64 import b64encode
from urllib.parse import urlsplit

from websockets.asyncio.server import serve
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from ends import SCENE_SECONDS_MAX, Door, Visit, Visits
from mobilityhouse import MESSAGE_BYTES_MAX, open_socket
from tapes import Tape, TapedSocket

READ_BYTES_MAX = 65536
NOW = "2026-03-01T10:00:00Z"
BOOT_16 = '[2,"boot","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'
BOOT_16_ANSWER = f'[3,"boot",{{"status":"Accepted","currentTime":"{NOW}","interval":300}}]'
BOOT_2X = '[2,"boot","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"}}]'
HEARTBEAT = '[2,"beat","Heartbeat",{}]'
HEARTBEAT_ANSWER = f'[3,"beat",{{"currentTime":"{NOW}"}}]'


class Csms:
    """A CSMS whose part is played by the scene itself."""

    name = "CSMS by hand"

    def __init__(self):
        self.visits = Visits()
        self._parts = {}

    def plays(self, identity: str, part):
        self._parts[identity] = part

    @contextlib.asynccontextmanager
    async def running(self):
        server = serve(
            self._receive,
            "127.0.0.1",
            0,
            subprotocols=["ocpp1.6", "ocpp2.0.1", "ocpp2.1"],
            ping_interval=None,
            max_size=MESSAGE_BYTES_MAX,
        )
        async with server as listening:
            self.url = f"ws://localhost:{listening.sockets[0].getsockname()[1]}/ocpp"
            yield self

    async def _receive(self, socket):
        request = socket.request
        visit = Visit(Tape(self.name), request.path, list(request.headers.raw_items()), socket.subprotocol)
        try:
            await self._parts[visit.identity](TapedSocket(socket, visit.tape))
            await socket.wait_closed()
        except ConnectionClosed:
            pass
        except Exception as trouble:  # noqa: BLE001  (whatever it was, the scene must tell)
            visit.trouble = f"{type(trouble).__name__}: {trouble}"
        finally:
            self.visits.over(visit)


class HastyCsms:
    """A CSMS whose first CALL is in the same segment as its 101."""

    name = "hasty CSMS"
    ASKED = '[2,"hasty","GetConfiguration",{"key":["HeartbeatInterval"]}]'

    def __init__(self):
        self.visits = Visits()

    @contextlib.asynccontextmanager
    async def running(self):
        server = await asyncio.start_server(self._receive, "127.0.0.1", 0)
        async with server:
            self.url = f"ws://localhost:{server.sockets[0].getsockname()[1]}/ocpp"
            yield self

    async def _receive(self, reader, writer):
        protocol = ServerProtocol(subprotocols=["ocpp1.6"], max_size=MESSAGE_BYTES_MAX)
        visit = Visit(Tape(self.name))
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(READ_BYTES_MAX):
                protocol.receive_data(data)
                for event in protocol.events_received():
                    self._meet(event, protocol, visit)
                # One write for all there is: the 101 and the CALL leave together.
                writer.write(b"".join(protocol.data_to_send()))
                await writer.drain()
                if protocol.close_expected():
                    break
        writer.close()
        self.visits.over(visit)

    def _meet(self, event, protocol: ServerProtocol, visit: Visit):
        if isinstance(event, Request):
            visit.path, visit.headers = event.path, list(event.headers.raw_items())
            protocol.send_response(protocol.accept(event))
            protocol.send_text(self.ASKED.encode())
            visit.tape.sent.append(self.ASKED)
        elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
            visit.tape.heard.append(event.data.decode())


# The scenes. Each takes the door and the station's name, plays the station's part, and returns its
# tape; `csms_…` is the part of the CSMS beside it.


async def burst(door: Door, identity: str) -> Tape:
    """Boot and a row of StatusNotifications back to back, the first right after the 101."""
    rows = [
        f'[2,"s{n}","StatusNotification",{{"connectorId":{n},"errorCode":"NoError","status":"Available"}}]'
        for n in range(24)
    ]
    async with _station(door, identity, "ocpp1.6") as station:
        for text in [BOOT_16, *rows]:
            await station.send(text)
        for _ in range(1 + len(rows)):
            await station.recv()
    return station.tape


async def csms_burst(csms: TapedSocket):
    while True:
        call = json.loads(await csms.recv())
        await csms.send(BOOT_16_ANSWER if call[1] == "boot" else f'[3,"{call[1]}",{{}}]')


ODD_CALLS = (
    ' [ 2 ,\t"boot" ,\r\n"BootNotification",{ "chargePointModel" : "M" ,"chargePointVendor":"V"} ]\n',
    r'[2,"\u0068eart\/1","Heart\u0062eat",{}]',
    r'[2,"a","Authorize",{"\u0069dTag":"\u0041\u00e9\ud83d\udd0c\/"}]',
    '[2,"m","MeterValues",{"meterValue":[{"sampledValue":[{"value":"1E3"}],"timestamp":"2026-03-01t10:00:00.000+00:00"}],'
    '"connectorId":-0}]',
    '[2,"ürsprung 🔌","DataTransfer",{"vendorId":"x","data":"{\\"a\\":[1,2,{\\"a\\":1e400}]}"}]',
)


async def odd_spellings(door: Door, identity: str) -> Tape:
    """Whitespace, escapes, order of keys and spellings of numbers come through as they were written."""
    async with _station(door, identity, "ocpp1.6") as station:
        for text in ODD_CALLS:
            await station.send(text)
            await station.recv()
    return station.tape


async def csms_odd_spellings(csms: TapedSocket):
    while True:
        call = json.loads(await csms.recv())
        answer = {
            "BootNotification": f'{{"interval":  300 ,"status":"\\u0041ccepted","currentTime":"{NOW}"}}',
            "Heartbeat": f'{{"currentTime":"{NOW}"}}\t',
            "Authorize": '{"idTagInfo":{"status":"Accepted"}}',
            "MeterValues": "{\n}",
            "DataTransfer": '{"status":"Accepted","data":"\\ud83d\\udd0c"}',
        }[call[2]]
        await csms.send(f" [3 , {json.dumps(call[1])},{answer}]\r\n")


async def fragments(door: Door, identity: str) -> Tape:
    """A message in many fragments, with pings between them, is one message on the other side."""
    text = f'[2,"f","DataTransfer",{{"vendorId":"x","data":"{"ü🔌 " * 4000}"}}]'
    async with _station(door, identity, "ocpp1.6") as station:
        socket = station.socket

        async def pieces():
            for at in range(0, len(text), 1000):
                await socket.ping()
                yield text[at : at + 1000]

        station.tape.sent.append(text)
        await socket.send(pieces())
        await station.recv()
    return station.tape


async def csms_fragments(csms: TapedSocket):
    call = json.loads(await csms.recv())
    text = f'[3,"{call[1]}",{{"status":"Accepted","data":"{"é" * 3000}"}}]'
    csms.tape.sent.append(text)
    await csms.socket.send([text[:1], "", text[1:2000], text[2000:]])


async def compressed(door: Door, identity: str) -> Tape:
    """Long messages of all sorts with compression agreed on: the same payloads on both sides."""
    async with _station(door, identity, "ocpp1.6") as station:
        assert _agreed(station.socket), "the station asked for compression and did not get it"
        for n, data in enumerate(COMPRESSED):
            await station.send(f'[2,"c{n}","DataTransfer",{{"vendorId":"x","data":"{data}"}}]')
            await station.recv()
    return station.tape


# Next to nothing, what repeats itself, what does not, and what looks like more than it is.
COMPRESSED = (
    "",
    "[3,1]" * 9_000,
    b64encode(random.Random(7692).randbytes(40_000)).decode(),
    "ü🔌" * 5_000,
    " " * 60_000,
)


async def csms_compressed(csms: TapedSocket):
    assert _agreed(csms.socket), "the CSMS was offered no compression"
    for data in reversed(COMPRESSED):
        call = json.loads(await csms.recv())
        await csms.send(f'[3,"{call[1]}",{{"status":"Accepted","data":"{data}"}}]')


def _agreed(socket) -> bool:
    return [extension.name for extension in socket.protocol.extensions] == ["permessage-deflate"]


async def pings(door: Door, identity: str) -> Tape:
    """Pings are answered by the hop they arrive at, with what they carried, between messages."""
    async with _station(door, identity, "ocpp1.6") as station:
        for body in (b"", b"x" * 125, bytes(range(100))):
            # `ping` waits for the pong with the same body.
            await (await station.socket.ping(body))
            await station.send(HEARTBEAT)
            await station.recv()
    return station.tape


async def csms_pings(csms: TapedSocket):
    while True:
        await csms.recv()
        await (await csms.socket.ping(b"from the CSMS"))
        await csms.send(HEARTBEAT_ANSWER)


async def crossing_calls(door: Door, identity: str) -> Tape:
    """The CSMS asks before it has answered Boot; the station answers while its own calls wait."""
    async with _station(door, identity, "ocpp1.6") as station:
        await station.send(BOOT_16)
        await station.send(HEARTBEAT)
        asked = json.loads(await station.recv())
        await station.send(f'[3,"{asked[1]}",{{"configurationKey":[]}}]')
        await station.recv()
        await station.recv()
    return station.tape


async def csms_crossing_calls(csms: TapedSocket):
    await csms.recv()
    await csms.send(HastyCsms.ASKED)
    # Boot is answered only when the answer to our own question is here, wherever it comes in the row.
    while json.loads(await csms.recv())[0] != 3:
        pass
    await csms.send(BOOT_16_ANSWER)
    while '[2,"beat"' not in "".join(csms.tape.heard):
        await csms.recv()
    await csms.send(HEARTBEAT_ANSWER)


async def sends_and_result_errors(door: Door, identity: str) -> Tape:
    """OCPP 2.1: SEND (6) wants no answer, and CALLRESULTERROR (5) objects to one."""
    stream = '{"id":7,"pending":0,"basetime":"2026-03-01T10:00:00Z","data":[{"t":0.5,"v":"230.1"}]}'
    async with _station(door, identity, "ocpp2.1") as station:
        await station.send(BOOT_2X)
        await station.recv()
        for n in range(5):
            await station.send(f'[6,"n{n}","NotifyPeriodicEventStream",{stream}]')
        await station.send(HEARTBEAT)
        await station.recv()
        await station.send('[5,"beat","FormatViolation","no such time",{"at":"currentTime"}]')
        await station.send('[2,"last","Heartbeat",{}]')
        await station.recv()
    return station.tape


async def csms_sends_and_result_errors(csms: TapedSocket):
    while True:
        message = json.loads(await csms.recv())
        if message[0] == 2:
            boot = '"status":"Accepted","interval":300,' if message[1] == "boot" else ""
            await csms.send(f'[3,"{message[1]}",{{{boot}"currentTime":"{NOW}"}}]')


async def hasty_csms(door: Door, identity: str) -> Tape:
    """What the CSMS sends in the same segment as its 101 reaches the station."""
    async with _station(door, identity, "ocpp1.6") as station:
        await station.recv()
        await station.send('[3,"hasty",{"configurationKey":[]}]')
    return station.tape


async def hasty_station(door: Door, identity: str) -> Tape:
    """What a station sends in the same segment as its handshake, before any 101, reaches the CSMS."""
    address = urlsplit(door.url)
    tape = Tape("hasty station")
    protocol = ClientProtocol(parse_uri(f"{door.url}/{identity}"), subprotocols=["ocpp1.6"])
    request = protocol.connect()
    if door.password is not None:
        request.headers["Authorization"] = f"Basic {b64encode(f'{identity}:{door.password}'.encode()).decode()}"
    reader, writer = await asyncio.open_connection(address.hostname, address.port, ssl=door.tls())
    # The library sends nothing before the 101: the frame beside the handshake is written by hand.
    frame = Frame(Opcode.TEXT, HEARTBEAT.encode()).serialize(mask=True)
    tape.sent.append(HEARTBEAT)
    writer.write(request.serialize() + frame)
    protocol.send_request(request)
    protocol.data_to_send()
    async with asyncio.timeout(SCENE_SECONDS_MAX):
        while data := await reader.read(READ_BYTES_MAX):
            protocol.receive_data(data)
            for event in protocol.events_received():
                if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                    tape.heard.append(event.data.decode())
                    protocol.send_close(1000)
            writer.write(b"".join(protocol.data_to_send()))
        writer.close()
    return tape


async def csms_hasty_station(csms: TapedSocket):
    await csms.recv()
    await csms.send(HEARTBEAT_ANSWER)


@contextlib.asynccontextmanager
async def _station(door: Door, identity: str, subprotocol: str):
    tape = Tape("station by hand")
    async with asyncio.timeout(SCENE_SECONDS_MAX), open_socket(door, identity, subprotocol) as socket:
        yield TapedSocket(socket, tape)
