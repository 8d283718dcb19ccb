"""`ocpp-csms` from PyPI: a 1.6 central system on aiohttp. It answers as it sees fit, not by the script;
when it is handed the turn it speaks by it."""

import asyncio
import contextlib
import json
import logging

from aiohttp import web
from ocpp.charge_point import camel_to_snake_case
from ocpp.v16 import call
from ocpp_csms import CentralSystem, CsmsCallError

from conversation import YOUR_TURN, Conversation
from ends import Visit, Visits
from tapes import Tape

# A refusal is part of the script; the library would warn of each.
logging.getLogger("ocpp_csms").setLevel(logging.CRITICAL)
PING_SECONDS = 0.5


class Csms:
    """A central system, taped by its own log of the wire."""

    name = "ocpp-csms"

    def __init__(self):
        self.visits = Visits()

    @contextlib.asynccontextmanager
    async def running(self):
        self._system = CentralSystem(ping_interval=PING_SECONDS)
        app = web.Application()
        app.router.add_get("/{path:.*}", self._receive)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"ws://localhost:{runner.addresses[0][1]}/ocpp"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        visit = Visit(Tape(self.name), request.raw_path, list(request.headers.items()), "ocpp1.6")
        turn = asyncio.create_task(self._speak(visit, handed_over := asyncio.Event()))
        wire = _Wire(visit, handed_over)
        logger = logging.getLogger("ocpp_csms.wire")
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        logger.addHandler(wire)
        try:
            return await self._system.async_handle_request(request)
        finally:
            logger.removeHandler(wire)
            turn.cancel()
            self.visits.over(visit)

    async def _speak(self, visit: Visit, handed_over: asyncio.Event):
        await handed_over.wait()
        try:
            for step in Conversation.of("1.6").csms:
                request = getattr(call, step["action"])(**camel_to_snake_case(step["payload"]))
                refused = False
                try:
                    await self._system.charge_points[visit.identity].async_call(request)
                except CsmsCallError:
                    refused = True
                assert refused == step.get("fails", False), f"{step['action']}: refused is {refused}"
        except Exception as trouble:  # noqa: BLE001  (whatever it was, the scene must tell)
            visit.trouble = f"{type(trouble).__name__}: {trouble}"


class _Wire(logging.Handler):
    """Writes one station's messages down, and notices when the turn is handed over."""

    def __init__(self, visit: Visit, handed_over: asyncio.Event):
        super().__init__(logging.DEBUG)
        self._visit, self._handed_over, self._asked = visit, handed_over, None

    def emit(self, record: logging.LogRecord):
        if len(record.args) != 2 or record.args[0] != self._visit.identity:
            return
        text = record.args[1]
        if record.msg == "%s: receive message %s":
            self._visit.tape.heard.append(text)
            if f'"{YOUR_TURN}"' in text:
                self._asked = json.loads(text)[1]
        elif record.msg == "%s: send %s":
            self._visit.tape.sent.append(text)
            # The turn begins when its answer is on the way.
            if self._asked and text.startswith(f'[3,"{self._asked}"'):
                self._handed_over.set()
