"""What test-ocpp tells a person at a terminal whose station is turned away at the gate, or let in by an
unusual path."""

from dataclasses import dataclass

import programs
from gate import BASIC, CERTIFICATE, Gate

# Registered for these scenes alone.
WITH_PASSWORD, WITH_CERTIFICATE, OTHER_CERTIFICATE = "DOOR-1", "DOOR-2", "DOOR-3"
# Scenes run side by side, and whoever has shown the right password takes the station's seat: each such
# scene has a station of its own.
NEWER_VERSION, WITHOUT_CSMS = "DOOR-4", "DOOR-5"
# A route whose CSMS is not there, and one that is.
NOWHERE, SOMEWHERE = "nowhere", "mobilityhouse"


@dataclass(frozen=True)
class Knock:
    """How somebody knocks, and a line that must be among what they are told."""

    name: str
    listener: str
    arguments: tuple
    told: str
    route: str = SOMEWHERE
    identity: str = WITH_PASSWORD


def register(gate: Gate):
    for identity in (WITH_PASSWORD, NEWER_VERSION, WITHOUT_CSMS):
        gate.register(identity, BASIC)
    gate.register(WITH_CERTIFICATE, CERTIFICATE)
    gate.register(OTHER_CERTIFICATE, CERTIFICATE)


def knocks(gate: Gate) -> list[Knock]:
    ca = ("--ca", gate.pki.server_ca)

    def password(identity: str):
        return (*ca, "--password", gate.door(identity, SOMEWHERE).password)

    good = password(WITH_PASSWORD)
    other = gate.door(OTHER_CERTIFICATE, SOMEWHERE)
    others = (*ca, "--cert", other.certificate, "--key", other.key)
    refused = "FAILED: server rejected handshake with HTTP {}".format
    return [
        Knock("with a trailing slash", BASIC, (*good, "--trailing-slash"), "SUCCESS"),
        Knock(
            "with 2.0.1",
            BASIC,
            (*password(NEWER_VERSION), "--ocpp", "2.0.1"),
            "SUCCESS",
            identity=NEWER_VERSION,
        ),
        Knock("without a password", BASIC, ca, refused(401)),
        Knock("with a wrong password", BASIC, (*ca, "--password", "wrong"), refused(401)),
        Knock("with an empty password", BASIC, (*ca, "--username", WITH_PASSWORD), refused(401)),
        Knock("with another user name", BASIC, (*good, "--username", WITH_CERTIFICATE), refused(401)),
        Knock("as nobody we know", BASIC, good, refused(401), identity="DOOR-0"),
        Knock("in another case", BASIC, good, refused(401), identity=WITH_PASSWORD.lower()),
        Knock("with another's certificate", CERTIFICATE, others, refused(401), identity=WITH_CERTIFICATE),
        Knock("without its certificate", CERTIFICATE, ca, refused(401), identity=WITH_CERTIFICATE),
        Knock("on a path without a route", BASIC, good, refused(404), route="elsewhere"),
        Knock(
            "while the CSMS is not there",
            BASIC,
            password(WITHOUT_CSMS),
            refused(503),
            route=NOWHERE,
            identity=WITHOUT_CSMS,
        ),
        Knock("without trust in the gate", BASIC, good[2:], "certificate verify failed"),
        # It tells no more than this, and ends as failed.
        Knock("without TLS", BASIC, (*good[2:], "--no-tls"), "Connecting to ws://"),
    ]


async def objections(gate: Gate, knock: Knock) -> list[str]:
    """Empty when the person was told what they should be."""
    url = f"wss://localhost:{gate.ports[knock.listener]}/{knock.route}"
    status, told = await programs.run_cli(url, knock.identity, *knock.arguments)
    is_in = knock.told == "SUCCESS"
    if knock.told in told and (status == 0) == is_in:
        return []
    return [f"expected {knock.told!r}; test-ocpp ended with {status} and said: {told}"]
