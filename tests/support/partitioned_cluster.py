"""A NATS cluster with network partitions between its servers, but not to clients."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import permutations
from pathlib import Path

from tests.support.nats import NatsCluster, NatsServer
from tests.support.ports import free_port
from tests.support.proxy import CuttableProxy

__all__ = ["PartitionedCluster"]


class PartitionedCluster(NatsCluster):
    """A cluster whose routes go through proxies, one for each direction of each pair of servers."""

    def __init__(self, directory: Path, servers: int = 3) -> None:
        self._stack = ExitStack()
        ports = [free_port() for _ in range(servers)]
        self._between = {
            (one, other): CuttableProxy(f"127.0.0.1:{ports[other]}")
            for one, other in permutations(range(servers), 2)
        }
        self.servers = [
            NatsServer(directory, f"nats-{number}", extra=[self._settings(number, port)])
            for number, port in enumerate(ports)
        ]

    def cut_off(self, server: NatsServer) -> None:
        """Cut all routes between the server and the others."""
        for proxy in self._around(server):
            proxy.refuse()
            proxy.cut()

    def join(self, server: NatsServer) -> None:
        """Restore the routes of the server."""
        for proxy in self._around(server):
            proxy.allow()

    def _around(self, server: NatsServer) -> list[CuttableProxy]:
        number = self.servers.index(server)
        return [proxy for pair, proxy in self._between.items() if number in pair]

    def _settings(self, number: int, port: int) -> str:
        routes = ", ".join(
            f'"nats://{proxy.address}"' for (one, _), proxy in self._between.items() if one == number
        )
        # The advertised address leads nowhere, so that servers do not connect around the proxies.
        return (
            f"cluster {{ name: tests, listen: 127.0.0.1:{port}, advertise: 127.0.0.1:1, routes: [{routes}], "
            "no_advertise: true }"
        )

    def __enter__(self) -> PartitionedCluster:
        try:
            for proxy in self._between.values():
                self._stack.enter_context(proxy)
        except BaseException:
            self._stack.close()
            raise
        super().__enter__()
        return self
