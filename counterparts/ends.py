"""The two ends of a road: where a station knocks, and what a CSMS tells of a visit."""

import asyncio
import ssl
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from tapes import Tape

# Longer than any scene takes on a busy machine; a scene that reaches it has failed.
SCENE_SECONDS_MAX = 60


@dataclass(frozen=True)
class Door:
    """Where a station connects, and with what. Without a `ca` the road is plain `ws`."""

    url: str
    ca: Path | None = None
    password: str | None = None
    certificate: Path | None = None
    key: Path | None = None

    def tls(self) -> ssl.SSLContext | None:
        if self.ca is None:
            return None
        context = ssl.create_default_context(cafile=self.ca)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key)
        return context


@dataclass
class Visit:
    """One station's connection as the CSMS saw it."""

    tape: Tape
    path: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    subprotocol: str | None = None
    trouble: str | None = None

    @property
    def identity(self) -> str:
        return identity_of(self.path)

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Visits:
    """The visits a CSMS has had, by identity; each can be awaited, once, by whoever arranged it."""

    def __init__(self):
        self._over: dict[str, asyncio.Queue[Visit]] = defaultdict(asyncio.Queue)
        self.begun = 0

    def over(self, visit: Visit):
        self._over[visit.identity].put_nowait(visit)

    async def of(self, identity: str) -> Visit:
        async with asyncio.timeout(SCENE_SECONDS_MAX):
            return await self._over[identity].get()


def identity_of(path: str) -> str:
    return unquote(path.rstrip("/").rsplit("/", 1)[-1])
