"""The gate between the two ends: a throw-away PKI, a configuration, registered stations, one process."""

import asyncio
import contextlib
import csv
import os
import socket
import subprocess
import urllib.request
from pathlib import Path

import trustme

from ends import Door

READY_SECONDS_MAX = 20
STOP_SECONDS_MAX = 10
COLUMNS = ["identity", "password_text", "machine_made", "certificate_name"]
BASIC, CERTIFICATE = "Basic", "certificate"
# CSMSs that the gate speaks plainly to; the others are offered compression, and may decline it.
PLAIN = {"tls", "slow"}


class Pki:
    """Two authorities: one that stations trust the gate by, one that the gate trusts stations by."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._servers, self._stations = trustme.CA(), trustme.CA()
        self.server_ca = self._write("server-ca.pem", self._servers.cert_pem)
        self.station_ca = self._write("station-ca.pem", self._stations.cert_pem)
        self.gate_as_client = self.station("gate-as-client")

    def server(self, name: str) -> tuple[Path, Path]:
        return self._pair(name, self._servers.issue_cert("localhost", "127.0.0.1"))

    def station(self, identity: str) -> tuple[Path, Path]:
        return self._pair(identity, self._stations.issue_cert(common_name=identity))

    def _pair(self, name: str, leaf: trustme.LeafCert) -> tuple[Path, Path]:
        chain = self.folder / f"{name}.pem"
        for at, blob in enumerate(leaf.cert_chain_pems):
            blob.write_to_path(chain, append=at > 0)
        return chain, self._write(f"{name}.key", leaf.private_key_pem)

    def _write(self, name: str, blob: trustme.Blob) -> Path:
        path = self.folder / name
        path.touch(mode=0o600)
        blob.write_to_path(path)
        return path


class Gate:
    """`portcullis serve` with one route for each CSMS, a listener for Basic and one for certificates."""

    def __init__(self, program: Path, folder: Path, pki: Pki):
        self.program, self.folder, self.pki = program, folder, pki
        self.config = folder / "portcullis.toml"
        self.log = folder / "portcullis.log"
        self.ports = dict(zip((BASIC, CERTIFICATE, "admin", "nowhere"), _free_ports(4), strict=True))
        self._stations: list[dict] = []
        self._doors: dict[str, Door] = {}

    def register(self, identity: str, credential: str, chosen: str | None = None) -> None:
        """A station that will knock, perhaps with a password that it has already; its door is ready when the gate
        runs."""
        password = chosen or f"open-sesame-{identity}"
        entry, door = {"password_text": password, "machine_made": str(len(password) >= 16).lower()}, {"password": password}
        if credential == CERTIFICATE:
            certificate, key = self.pki.station(identity)
            entry, door = {"certificate_name": "true"}, {"certificate": certificate, "key": key}
        self._stations.append({"identity": identity, **entry})
        url = f"wss://localhost:{self.ports[credential]}"
        self._doors[identity] = Door(url, ca=self.pki.server_ca, **door)

    def door(self, identity: str, route: str) -> Door:
        door = self._doors[identity]
        return Door(f"{door.url}/{route}", door.ca, door.password, door.certificate, door.key)

    @contextlib.asynccontextmanager
    async def running(self, upstreams: dict[str, str], gate_certificate: tuple[Path, Path]):
        self.config.write_text(self._configuration(upstreams, gate_certificate))
        self._import_stations()
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [self.program, "serve", "--config", self.config], cwd=self.folder, stdout=log, stderr=log
            )
        try:
            await self._ready(process)
            yield self
        finally:
            process.terminate()
            try:
                await asyncio.to_thread(process.wait, STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                raise

    def _configuration(self, upstreams: dict[str, str], gate_certificate: tuple[Path, Path]) -> str:
        chain, key = gate_certificate
        lines = [
            "[controls]",
            'schema = "enforce"',
            # Pings of the gate's own fall into the longer conversations.
            "[session]",
            "ping_after_seconds = 1",
            "[admin]",
            f'address = "127.0.0.1:{self.ports["admin"]}"',
        ]
        for credential in (BASIC, CERTIFICATE):
            lines += [
                "[[listener]]",
                f'address = "127.0.0.1:{self.ports[credential]}"',
                f'certificates = [{{ chain = "{chain}", key = "{key}" }}]',
                *([f'client_ca = "{self.pki.station_ca}"'] if credential == CERTIFICATE else []),
            ]
        for route, upstream in upstreams.items():
            lines += [
                "[[route]]",
                f'id = "{route}"',
                f'path = "/{route}/{{identity}}"',
                f'upstream = "{upstream}"',
                f'compression = "{"off" if route in PLAIN else "offer"}"',
                *(self._upstream_tls() if upstream.startswith("wss") else []),
            ]
        return "\n".join(lines) + "\n"

    def _upstream_tls(self) -> list[str]:
        """The CSMS has its certificate from our authority, and may ask for one of ours."""
        chain, key = self.pki.gate_as_client
        return [f'ca = "{self.pki.server_ca}"', f'client_certificate = {{ chain = "{chain}", key = "{key}" }}']

    def _import_stations(self):
        path = self.folder / "stations.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=COLUMNS)
            writer.writeheader()
            writer.writerows(self._stations)
        # One of them has a PIN, so that it can be guessed.
        command = [self.program, "station", "import", path, "--allow-weak", "--config", self.config]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, f"station import: {done.stdout}{done.stderr}"

    async def _ready(self, process: subprocess.Popen):
        async with asyncio.timeout(READY_SECONDS_MAX):
            while not await asyncio.to_thread(self._says_ready):
                assert process.poll() is None, f"the gate ended: {self.log.read_text()}"
                await asyncio.sleep(0.05)

    def _says_ready(self) -> bool:
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.ports['admin']}/readyz", timeout=1).status == 200
        except OSError:
            return False


def program() -> Path:
    return Path(os.environ["PORTCULLIS"])


def _free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago; held open together so that they differ."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
