"""The script both ends follow: who says what, and what the other answers."""

import json
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent / "conversations"
YOUR_TURN = "your-turn"
VERSIONS = ("1.6", "2.0.1", "2.1")


@dataclass(frozen=True)
class Conversation:
    """The station speaks, hands over with a DataTransfer `your-turn`, the CSMS speaks and hands
    back, the station says its farewell. Handing over keeps each direction's order certain."""

    version: str
    station: list
    csms: list
    farewell: list
    answers: dict

    @property
    def subprotocol(self) -> str:
        return f"ocpp{self.version}"

    @staticmethod
    def of(version: str) -> "Conversation":
        script = json.loads((SCRIPTS / f"{version}.json").read_text(), object_hook=_spelled_out)
        return Conversation(version, **script)

    def write(self, folder: Path) -> Path:
        """The script spelled out in full, for the counterparts that are not written in Python."""
        path = folder / f"conversation-{self.version}.json"
        # Written once: others may be reading it.
        if not path.exists():
            path.write_text(json.dumps(vars(self), ensure_ascii=False))
        return path


def _spelled_out(value: dict):
    """`{"repeat": "ab", "times": 3}` stands for `"ababab"`: nobody wants to read 60 kB."""
    if value.keys() == {"repeat", "times"}:
        return value["repeat"] * value["times"]
    return value
