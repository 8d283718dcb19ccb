"""`make counterparts`: every conversation directly, then through the gate with Basic and with a
certificate. A road is transparent when both ends saw the same payloads in the same order as one
another, and the same conversation as without the gate."""

import asyncio
import contextlib
import os
import ssl
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import byhand
import centralsystem
import doors
import faults
import mobilityhouse
import programs
from conversation import VERSIONS
from ends import Door, Visit
from gate import BASIC, CERTIFICATE, Gate, Pki, program
from tapes import Tape, differences, same_conversation

DIRECT = "direct"
ROADS = (DIRECT, BASIC, CERTIFICATE)
# Long enough for a station that does not wait for its 101 to lose something.
SLOW_SECONDS = 0.4
AT_ONCE_MAX = 4


@dataclass(frozen=True)
class Scene:
    """One station, one CSMS, one conversation."""

    name: str
    station: Callable
    csms: str
    subprotocol: str
    # Answers may pass calls that wait for their turn, so only the order of each is compared.
    answers_overtake: bool = False
    # The CSMS answers several calls at once in whichever order it likes, differently each time.
    order_varies: bool = False
    # The CSMS answers with times and numbers of its own, so no two conversations are the same.
    own_answers: bool = False


@dataclass
class Played:
    """A scene on one road, as both ends tell it."""

    station: Tape
    visit: Visit


def scenes() -> list[Scene]:
    both, all_three = VERSIONS[:2], VERSIONS
    stations = [
        ("Mobility House", mobilityhouse.station, all_three),
        ("ocpp-client", programs.rust_station, all_three),
        ("ocpp-rpc", programs.rpc_station, both),
        ("ocpp-rpc pipelining", _pipelining, both),
        ("test-ocpp", programs.cli_station, both),
    ]
    every = [
        Scene(
            f"{name} {version} → {csms}",
            _speaking(station, version),
            csms,
            f"ocpp{version}",
            order_varies=station is _pipelining and csms == "ocpp-rpc",
            own_answers=csms == "ocpp-csms",
        )
        for csms, spoken in (("mobilityhouse", all_three), ("ocpp-rpc", both), ("ocpp-csms", VERSIONS[:1]))
        for name, station, versions in stations
        for version in versions
        if version in spoken
    ]
    every += [
        Scene(f"Mobility House {version} → {csms}", _speaking(mobilityhouse.station, version), csms, f"ocpp{version}")
        for csms in ("slow", "tls", "mutual-tls")
        for version in all_three
    ]
    by_hand = [byhand.burst, byhand.odd_spellings, byhand.fragments, byhand.compressed, byhand.pings]
    by_hand += [byhand.hasty_station]
    every += [Scene(f"by hand: {part.__name__}", part, "byhand", "ocpp1.6") for part in by_hand]
    every += [
        Scene("by hand: crossing_calls", byhand.crossing_calls, "byhand", "ocpp1.6", answers_overtake=True),
        Scene("by hand: sends_and_result_errors", byhand.sends_and_result_errors, "byhand", "ocpp2.1"),
        Scene("by hand: hasty_station → slow", byhand.hasty_station, "slow", "ocpp1.6"),
        Scene("by hand: hasty_csms", byhand.hasty_csms, "hasty", "ocpp1.6"),
    ]
    return every


async def _pipelining(door: Door, identity: str, version: str) -> Tape:
    return await programs.rpc_station(door, identity, version, pipelined=8)


def _speaking(station: Callable, version: str) -> Callable:
    return lambda door, identity: station(door, identity, version)


class Drive:
    """Plays scenes and counts."""

    def __init__(self, csmss: dict, gate: Gate):
        self.csmss, self.gate = csmss, gate
        self.passed = self.failed = 0

    async def play(self, scene: Scene, number: int):
        """The scene on every road; a road on which it cannot even be played has failed."""
        direct = None
        for road in ROADS:
            began = time.monotonic()
            try:
                played = await self._on(road, scene, number)
                trouble = _objections(scene, road, played, direct)
                sizes = f"{len(played.station.sent):3} up {len(played.station.heard):3} down"
            except Exception as failure:  # noqa: BLE001  (a scene that breaks must not end the others)
                played, trouble, sizes = None, [f"{type(failure).__name__}: {failure}"], "-"
            if road == DIRECT:
                direct = played
            self._tell(road, scene.name, trouble, sizes, time.monotonic() - began)

    async def knock(self, knock: doors.Knock):
        """Somebody at the gate's door who is turned away, or let in by an unusual path."""
        began = time.monotonic()
        trouble = await doors.objections(self.gate, knock)
        self._tell(knock.listener, f"test-ocpp {knock.name}", trouble, "", time.monotonic() - began)

    async def exploits(self, chosen: list[faults.Exploit]):
        """The faults of the advisories put to use, one after another: first bare, then through the gate."""
        csms = self.csmss[faults.ROUTE]
        gate = self.gate.door(faults.LIVE, faults.ROUTE)
        for road, door, honest in ((DIRECT, Door(csms.url), None), (BASIC, gate, gate.password)):
            for exploit in chosen:
                began = time.monotonic()
                try:
                    trouble = await faults.objections(door, csms, exploit, honest)
                except Exception as failure:  # noqa: BLE001  (an exploit that breaks must not end the others)
                    trouble = [f"{type(failure).__name__}: {failure}"]
                self._tell(road, exploit.name, trouble, "", time.monotonic() - began)

    async def _on(self, road: str, scene: Scene, number: int) -> Played:
        csms = self.csmss[scene.csms]
        identity = identity_for(number, road)
        if isinstance(csms, byhand.Csms):
            csms.plays(identity, getattr(byhand, f"csms_{scene.station.__name__}"))
        door = self.gate.door(identity, scene.csms) if road != DIRECT else self._without_gate(csms.url)
        station = await scene.station(door, identity)
        return Played(station, await csms.visits.of(identity))

    def _without_gate(self, url: str) -> Door:
        if not url.startswith("wss"):
            return Door(url)
        pki = self.gate.pki
        certificate, key = pki.gate_as_client
        return Door(url, ca=pki.server_ca, certificate=certificate, key=key)

    def _tell(self, road: str, name: str, trouble: list[str], sizes: str, seconds: float):
        verdict = "FAIL" if trouble else "ok  "
        print(f"{verdict} {road:11} {name:52} {sizes:>16} {seconds:5.2f} s", flush=True)
        for line in trouble:
            print(f"         {line}", flush=True)
        if trouble:
            self.failed += 1
        else:
            self.passed += 1


def _objections(scene: Scene, road: str, played: Played, direct: Played | None) -> list[str]:
    station, visit = played.station, played.visit
    objections = [visit.trouble] if visit.trouble else []
    objections += _handshake_objections(scene, road, visit)
    if scene.answers_overtake:
        _by_kind(station)
        _by_kind(visit.tape)
    objections += differences(station, visit.tape)
    if not station.sent or not station.heard:
        objections.append("nothing was said")
    if road != DIRECT and direct is None:
        objections.append("there is no direct conversation to compare with")
    elif road != DIRECT and not scene.own_answers:
        objections += same_conversation(direct.station, station, not scene.order_varies)
        objections += same_conversation(direct.visit.tape, visit.tape, not scene.order_varies)
    return objections


def _handshake_objections(scene: Scene, road: str, visit: Visit) -> list[str]:
    """What the CSMS was told of the station before the first message."""
    wanted = {"Sec-WebSocket-Protocol": [scene.subprotocol]}
    if road != DIRECT:
        wanted["X-Forwarded-Proto"] = ["https"]
        wanted["X-Client-Cert-Present"] = ["true" if road == CERTIFICATE else "false"]
    told = {name: visit.header(name) for name in wanted}
    if road == BASIC and len(visit.header("Authorization")) != 1:
        return [f"the password did not come with the station: {visit.headers}"]
    return [f"{name}: {told[name]} in place of {value}" for name, value in wanted.items() if told[name] != value]


def _by_kind(tape: Tape):
    for row in (tape.sent, tape.heard):
        row.sort(key=lambda text: text.lstrip(" [")[:1])


def identity_for(number: int, road: str) -> str:
    return f"CP-{number:03}-{road}"


async def drive(words: list[str], folder: Path) -> Drive:
    def is_chosen(name: str) -> bool:
        return all(word.lower() in name.lower() for word in words)

    pki = Pki(folder)
    gate = Gate(program(), folder, pki)
    doors.register(gate)
    faults.register(gate)
    chosen = [(number, scene) for number, scene in enumerate(scenes()) if is_chosen(scene.name)]
    for number, _ in chosen:
        for road in (BASIC, CERTIFICATE):
            gate.register(identity_for(number, road), road)
    async with contextlib.AsyncExitStack() as running:
        csmss = {name: await running.enter_async_context(csms.running()) for name, csms in _csmss(folder, pki).items()}
        upstreams = {name: csms.url for name, csms in csmss.items()}
        upstreams[doors.NOWHERE] = f"ws://localhost:{gate.ports[doors.NOWHERE]}/ocpp"
        await running.enter_async_context(gate.running(upstreams, pki.server("gate")))
        played = Drive(csmss, gate)
        at_once = asyncio.Semaphore(AT_ONCE_MAX)

        async def in_turn(part):
            async with at_once:
                await part

        parts = [played.play(scene, number) for number, scene in chosen]
        parts += [played.knock(knock) for knock in doors.knocks(gate) if is_chosen(f"test-ocpp {knock.name}")]
        parts.append(played.exploits([exploit for exploit in faults.EXPLOITS if is_chosen(exploit.name)]))
        await asyncio.gather(*map(in_turn, parts))
    return played


def _csmss(folder: Path, pki: Pki) -> dict:
    return {
        "mobilityhouse": mobilityhouse.Csms(),
        "slow": mobilityhouse.Csms(accept_after_seconds=SLOW_SECONDS),
        "tls": mobilityhouse.Csms(tls=_tls_server(pki)),
        "mutual-tls": mobilityhouse.Csms(tls=_tls_server(pki, pki.station_ca)),
        "ocpp-rpc": programs.RpcCsms(folder),
        "ocpp-csms": centralsystem.Csms(),
        faults.ROUTE: faults.Csms(),
        "byhand": byhand.Csms(),
        "hasty": byhand.HastyCsms(),
    }


def _tls_server(pki: Pki, client_ca: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pki.server("csms"))
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="portcullis-counterparts-") as name:
        os.environ["COUNTERPARTS_SCRATCH"] = name
        played = asyncio.run(drive(sys.argv[1:], Path(name)))
        if played.failed:
            print(f"the gate's log:\n{(Path(name) / 'portcullis.log').read_text()[-4000:]}")
    print(f"{played.passed} passed, {played.failed} failed")
    return 1 if played.failed or not played.passed else 0


if __name__ == "__main__":
    sys.exit(main())
