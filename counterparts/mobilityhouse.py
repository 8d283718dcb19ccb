"""The Mobility House `ocpp` from PyPI: a station and a CSMS in every version, following the script."""

import asyncio
import contextlib
import importlib
import json
import logging
import ssl
from base64 import b64encode

from ocpp import exceptions
from ocpp.charge_point import camel_to_snake_case
from ocpp.routing import after, on
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from conversation import VERSIONS, YOUR_TURN, Conversation
from ends import SCENE_SECONDS_MAX, Door, Visit, Visits, identity_of
from tapes import Tape, TapedSocket

# A refusal is part of the script; the library would print a traceback for each.
logging.getLogger("ocpp").setLevel(logging.CRITICAL)
# Often enough that pings fall into the longer conversations; the gate counts them.
PING_SECONDS = 0.5
MESSAGE_BYTES_MAX = 2 << 20


async def station(door: Door, identity: str, version: str) -> Tape:
    """Connects, follows the script to its end, closes."""
    conversation = Conversation.of(version)
    tape = Tape("Mobility House station")
    async with asyncio.timeout(SCENE_SECONDS_MAX), open_socket(door, identity, conversation.subprotocol) as socket:
        assert socket.subprotocol == conversation.subprotocol, socket.subprotocol
        endpoint = _endpoint(conversation, "station")(identity, TapedSocket(socket, tape))
        async with _listening(endpoint):
            for step in conversation.station:
                await endpoint.say(step)
            await endpoint.turn.wait()
            for step in conversation.farewell:
                await endpoint.say(step)
    return tape


def open_socket(door: Door, identity: str, *subprotocols: str, headers=(), **more):
    """A station's socket, with Basic, a certificate or neither, as the door says; `more` is for asyncio."""
    credential = []
    if door.password is not None:
        userinfo = b64encode(f"{identity}:{door.password}".encode()).decode()
        credential = [("Authorization", f"Basic {userinfo}")]
    return connect(
        f"{door.url}/{identity}",
        subprotocols=list(subprotocols) or None,
        ssl=door.tls(),
        additional_headers=[*credential, *headers],
        ping_interval=PING_SECONDS,
        max_size=MESSAGE_BYTES_MAX,
        proxy=None,
        **more,
    )


class Csms:
    """A CSMS that answers by the script and, when it is handed the turn, speaks by it."""

    name = "Mobility House CSMS"

    def __init__(self, accept_after_seconds: float = 0, tls: ssl.SSLContext | None = None):
        self.visits = Visits()
        self.accept_after_seconds, self.tls = accept_after_seconds, tls

    @contextlib.asynccontextmanager
    async def running(self):
        server = serve(
            self._receive,
            "127.0.0.1",
            0,
            subprotocols=[f"ocpp{version}" for version in VERSIONS],
            process_request=self._consider,
            ssl=self.tls,
            ping_interval=PING_SECONDS,
            max_size=MESSAGE_BYTES_MAX,
        )
        async with server as listening:
            port = listening.sockets[0].getsockname()[1]
            self.url = f"{'wss' if self.tls else 'ws'}://localhost:{port}/ocpp"
            yield self

    async def _consider(self, _socket, _request):
        self.visits.begun += 1
        if self.accept_after_seconds:
            await asyncio.sleep(self.accept_after_seconds)

    async def _receive(self, socket: ServerConnection):
        request = socket.request
        visit = Visit(Tape(self.name), request.path, list(request.headers.raw_items()), socket.subprotocol)
        try:
            await self._converse(socket, visit)
        except Exception as trouble:  # noqa: BLE001  (whatever it was, the scene must tell)
            visit.trouble = f"{type(trouble).__name__}: {trouble}"
        finally:
            self.visits.over(visit)

    async def _converse(self, socket, visit: Visit):
        conversation = Conversation.of(socket.subprotocol.removeprefix("ocpp"))
        endpoint = _endpoint(conversation, "csms")(identity_of(visit.path), TapedSocket(socket, visit.tape))
        async with _listening(endpoint) as listening:
            handed_over = asyncio.create_task(endpoint.turn.wait())
            await asyncio.wait([handed_over, listening], return_when=asyncio.FIRST_COMPLETED)
            if handed_over.done():
                for step in conversation.csms:
                    await endpoint.say(step)
            handed_over.cancel()
            await listening


@contextlib.asynccontextmanager
async def _listening(endpoint):
    """The library's reading loop, beside whatever the script says; it ends with the socket."""

    async def read():
        with contextlib.suppress(ConnectionClosed):
            await endpoint.start()

    reading = asyncio.create_task(read())
    try:
        yield reading
    finally:
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading


def _endpoint(conversation: Conversation, side: str):
    """A ChargePoint class of the library's, with one handler for each answer of the script."""
    library = importlib.import_module(f"ocpp.v{conversation.version.replace('.', '')}")

    class Endpoint(library.ChargePoint):
        def __init__(self, identity, socket):
            super().__init__(identity, socket, response_timeout=SCENE_SECONDS_MAX)
            self.turn = asyncio.Event()

        async def say(self, step: dict):
            """One step of the script, through the library's own classes."""
            if "send" in step:
                # The library knows no SEND (message type 6), so the frame is ours.
                await self._send(json.dumps([6, str(self._unique_id_generator()), step["send"], step["payload"]]))
                return
            request = getattr(library.call, step["action"])(**camel_to_snake_case(step["payload"]))
            try:
                await self.call(request, suppress=False)
                refused = None
            except exceptions.OCPPError as error:
                refused = error
            assert bool(refused) == step.get("fails", False), f"{step['action']}: {refused!r}"

    for action, payload in conversation.answers[side].items():
        _answer(Endpoint, library, action, payload)
    return Endpoint


def _answer(endpoint, library, action: str, payload: dict):
    refusal = payload.get("refused")
    result = None if refusal else getattr(library.call_result, action)(**camel_to_snake_case(payload))

    def answer(self, **_request):
        if refusal:
            raise getattr(exceptions, f"{refusal}Error")(description="not in this scene")
        return result

    async def once_answered(self, **request):
        if request.get("message_id") == YOUR_TURN:
            self.turn.set()

    # The library finds handlers by function name, so each needs its own.
    for moment, handler in ((on, answer), (after, once_answered)):
        handler.__name__ = f"{handler.__name__}_{action}"
        setattr(endpoint, handler.__name__, moment(action)(handler))
