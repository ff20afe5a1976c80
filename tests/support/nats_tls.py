"""Three NATS servers with the configuration of the manifests, on loopback, and the files of their TLS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.authority import LOOPBACK, Authority, chain_of
from tests.support.nats import NatsServer
from tests.support.ports import free_port
from tests.support.replacing import replace

__all__ = ["deployed", "write_tls"]

_CONFIGURATION = Path(__file__).parents[2] / "deploy" / "kubernetes" / "nats.conf"


def write_tls(directory: Path, authority: Authority, *names: str) -> None:
    """Put a certificate for these names, its key and its authority into files, as the secrets have them."""
    directory.mkdir()
    issued = authority.issue(*names)
    replace(directory / "tls.crt", chain_of(issued))
    replace(directory / "tls.key", issued.private_key_pem.bytes())
    replace(directory / "ca.crt", authority.pem)


@contextmanager
def deployed(directory: Path, authority: Authority) -> Iterator[list[NatsServer]]:
    """Run the servers, ``nats-0`` to ``nats-2``."""
    tls = directory / "nats-tls"
    write_tls(tls, authority, LOOPBACK)
    routes = [free_port() for _ in range(3)]
    servers = [_Deployed(directory, tls, routes, number) for number in range(3)]
    with ExitStack() as stack:
        for server in servers:
            stack.callback(server.kill)
            server.start()
        for server in servers:
            server.ready()
        yield list(servers)


class _Deployed(NatsServer):
    """A server whose ports, paths and routes are those of this machine."""

    def __init__(self, directory: Path, tls: Path, routes: list[int], number: int) -> None:
        super().__init__(directory, f"nats-{number}")
        self._tls = tls
        self._routes = routes
        self._number = number

    def _configure(self) -> None:
        text = _CONFIGURATION.read_text()
        for number, route in enumerate(self._routes):
            text = text.replace(f"nats-{number}.nats:6222", f"{LOOPBACK}:{route}")
        for pattern, here in (
            (r"^port: 4222$", f"listen: {LOOPBACK}:{self.port}\nserver_name: {self.name}"),
            (r"^http_port: 8222$", f"http: {LOOPBACK}:{self.monitor}"),
            (r"^  port: 6222$", f"  listen: {LOOPBACK}:{self._routes[self._number]}"),
            (r"/data$", str(self.directory)),
            (r"/etc/nats/tls/", f"{self._tls}/"),
        ):
            text, found = re.subn(pattern, here, text, flags=re.MULTILINE)
            assert found, pattern
        (self.directory / "nats.conf").write_text(text)
