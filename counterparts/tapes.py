"""What each end of a conversation said and heard, and how two tapes are held against one another."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import SequenceMatcher

SHOWN_CHARS_MAX = 160


@dataclass
class Tape:
    """One end's account: every text payload it sent and every one it received, in order."""

    who: str
    sent: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)


class TapedSocket:
    """A `websockets` connection as the Mobility House library uses it, with a tape running."""

    def __init__(self, socket, tape: Tape):
        self.socket, self.tape = socket, tape

    async def recv(self):
        text = await self.socket.recv()
        self.tape.heard.append(text)
        return text

    async def send(self, text):
        # Written down first: the answer may come before `send` returns.
        self.tape.sent.append(text)
        await self.socket.send(text)


def differences(station: Tape, csms: Tape) -> list[str]:
    """What one end sent and the other did not receive so; empty when the road is transparent."""
    return [
        *_row_differences(f"{station.who} → {csms.who}", station.sent, csms.heard),
        *_row_differences(f"{csms.who} → {station.who}", csms.sent, station.heard),
    ]


def same_conversation(direct: Tape, gated: Tape, in_order: bool = True) -> list[str]:
    """How a tape made through the gate differs from the one made without, message ids aside. Where a
    CSMS answers as it pleases (`in_order=False`), what was said is compared, and not when."""
    one, other = (_without_ids(tape) if in_order else _heap(tape) for tape in (direct, gated))
    return [
        *_row_differences(f"{direct.who} sends: direct / gate", one.sent, other.sent),
        *_row_differences(f"{direct.who} hears: direct / gate", one.heard, other.heard),
    ]


def _without_ids(tape: Tape) -> Tape:
    """Libraries draw message ids at random: the n-th id of a tape becomes `#n`."""
    names: dict[str, str] = {}

    def renamed(text: str) -> str:
        return _with_id(text, lambda message_id: names.setdefault(message_id, f"#{len(names)}"))

    return Tape(tape.who, [renamed(text) for text in tape.sent], [renamed(text) for text in tape.heard])


def _heap(tape: Tape) -> Tape:
    rows = (sorted(_with_id(text, lambda _: "#") for text in row) for row in (tape.sent, tape.heard))
    return Tape(tape.who, *rows)


def _with_id(text: str, name: Callable[[str], str]) -> str:
    try:
        message_id = json.loads(text)[1]
    except (ValueError, LookupError, TypeError):
        return text
    if not isinstance(message_id, str):
        return text
    return text.replace(json.dumps(message_id), json.dumps(name(message_id)), 1)


def _row_differences(label: str, left: list, right: list) -> list[str]:
    if left == right:
        return []
    lines = [f"{label}: {len(left)} payloads against {len(right)}"]
    # autojunk would call a payload that comes often (a Heartbeat) noise.
    for tag, i, i_end, j, j_end in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag != "equal":
            lines += [f"  - [{at}] {_shown(left[at])}" for at in range(i, i_end)]
            lines += [f"  + [{at}] {_shown(right[at])}" for at in range(j, j_end)]
    return lines


def _shown(payload) -> str:
    text = payload if isinstance(payload, str) else repr(payload)
    if len(text) <= SHOWN_CHARS_MAX:
        return text
    return f"{text[:SHOWN_CHARS_MAX]}… ({len(text)} characters)"
