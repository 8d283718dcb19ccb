"""Counterparts that are programs of their own: ocpp-rpc on Node, ocpp-client in Rust, test-ocpp.

The first two tell what they say and hear as lines of JSON on standard output; test-ocpp prints it.
"""

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

from conversation import VERSIONS, Conversation
from ends import SCENE_SECONDS_MAX, Door, Visit, Visits
from tapes import Tape

HERE = Path(__file__).parent
LINE_BYTES_MAX = 4 << 20


async def rpc_station(door: Door, identity: str, version: str, pipelined: int = 1) -> Tape:
    """ocpp-rpc's client in strict mode; `pipelined` is how many CALLs it keeps in flight."""
    return await _told_by("ocpp-rpc station", [*_node("station.mjs")], door, identity, version, pipelined=pipelined)


async def rust_station(door: Door, identity: str, version: str) -> Tape:
    """ocpp-client."""
    return await _told_by("ocpp-client station", [_rust_client()], door, identity, version)


async def cli_station(door: Door, identity: str, version: str) -> Tape:
    """test-ocpp as a person at a terminal runs it; its printed log is its tape."""
    arguments = ["--ocpp", version]
    for flag, value in (("ca", door.ca), ("password", door.password), ("cert", door.certificate), ("key", door.key)):
        arguments += [f"--{flag}", value] if value else []
    status, log = await run_cli(door.url, identity, *arguments)
    assert status == 0, log
    tape = Tape("test-ocpp")
    # Carriage returns and the like belong to payloads: only "\n" ends a line.
    for line in log.split("\n"):
        arrow, _, text = line.partition(" ")
        if arrow in ("-->", "<--"):
            (tape.sent if arrow == "-->" else tape.heard).append(text)
    return tape


async def run_cli(url: str, identity: str, *arguments) -> tuple[int, str]:
    """test-ocpp's exit status and what it printed."""
    command = [Path(sys.executable).with_name("test-ocpp"), url, identity, *arguments]
    async with asyncio.timeout(SCENE_SECONDS_MAX), _running(command) as program:
        log = (await program.stdout.read()).decode()
        return await program.wait(), log


class RpcCsms:
    """ocpp-rpc's server in strict mode, 1.6 and 2.0.1."""

    name = "ocpp-rpc CSMS"

    def __init__(self, folder: Path):
        self.visits = Visits()
        self._scripts = {version: str(Conversation.of(version).write(folder)) for version in VERSIONS[:2]}

    @contextlib.asynccontextmanager
    async def running(self):
        async with _running([*_node("csms.mjs"), json.dumps(self._scripts)], stdin=PIPE) as program:
            first = json.loads(await program.stdout.readline())
            self.url = f"ws://localhost:{first['listening']}/ocpp"
            following = asyncio.create_task(self._follow(program.stdout))
            yield self
            program.stdin.close()
            await following
            await program.wait()

    async def _follow(self, lines):
        begun: dict[str, Visit] = {}
        async for line in lines:
            told = json.loads(line)
            if "asked" in told:
                self.visits.begun += 1
                continue
            station = told["station"]
            if "path" in told:
                flat = told["headers"]
                headers = list(zip(flat[::2], flat[1::2], strict=True))
                begun[station] = Visit(Tape(self.name), told["path"], headers, told["subprotocol"])
                continue
            visit = begun[station]
            _onto(visit.tape, told)
            if "over" in told:
                visit.trouble = told["trouble"]
                self.visits.over(visit)


async def _told_by(who: str, command: list, door: Door, identity: str, version: str, **more) -> Tape:
    conversation = Conversation.of(version)
    told_to = {
        "endpoint": door.url,
        "identity": identity,
        "protocol": conversation.subprotocol,
        "password": door.password,
        "ca": door.ca and str(door.ca),
        "certificate": door.certificate and str(door.certificate),
        "key": door.key and str(door.key),
        "script": str(conversation.write(Path(os.environ["COUNTERPARTS_SCRATCH"]))),
        **more,
    }
    tape = Tape(who)
    async with asyncio.timeout(SCENE_SECONDS_MAX), _running([*command, json.dumps(told_to)]) as program:
        async for line in program.stdout:
            _onto(tape, json.loads(line))
        status = await program.wait()
        assert status == 0, f"{who} ended with {status}: {(await program.stderr.read()).decode()}"
    return tape


def _onto(tape: Tape, told: dict):
    if "sent" in told:
        tape.sent.append(told["sent"])
    elif "heard" in told:
        tape.heard.append(told["heard"])


@contextlib.asynccontextmanager
async def _running(command: list, stdin=DEVNULL):
    program = await asyncio.create_subprocess_exec(
        *map(str, command), stdin=stdin, stdout=PIPE, stderr=PIPE, limit=LINE_BYTES_MAX
    )
    try:
        yield program
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()


def _node(script: str) -> list:
    return ["node", HERE / "npm" / script]


def _rust_client() -> str:
    return os.environ["COUNTERPARTS_OCPP_CLIENT"]
