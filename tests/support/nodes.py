"""Several server nodes that share a log in NATS."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.forking import Forkery
from tests.support.rpc import Rpc, connect
from tests.support.server import ServerProcess


class Nodes:
    """Nodes on one store, each with its own directory; ``with`` starts and ends them.

    ``stores`` has the URL for each node; all get the options.
    """

    def __init__(
        self,
        directory: Path,
        stores: Sequence[str],
        *options: str,
        stream: str = "milepost",
        forkery: Forkery | None = None,
    ) -> None:
        self.servers = [
            ServerProcess(
                directory / f"node-{number}",
                *("--store", store, "--nats-stream", stream, "--nats-sync-always", *options),
                forkery=forkery,
            )
            for number, store in enumerate(stores)
        ]
        self._clients = itertools.count()

    @property
    def address(self) -> str:
        """The addresses of all nodes, in another order for each client."""
        return self.from_node(next(self._clients))

    @property
    def epoch(self) -> str:
        """The epoch of their log."""
        (epoch,) = {server.epoch for server in self.servers}
        return epoch

    def from_node(self, number: int) -> str:
        """The addresses of all nodes, beginning with this one. gRPC connects to the first reachable one."""
        first = number % len(self.servers)
        servers = [*self.servers[first:], *self.servers[:first]]
        return "ipv4:" + ",".join(server.address for server in servers)

    def kill(self) -> None:
        """Send SIGKILL to all nodes."""
        for server in self.servers:
            server.kill()

    def stop(self) -> int:
        """Stop one node after the other; return the highest exit status."""
        return max(server.stop() for server in self.servers)

    def restart(self) -> None:
        """Start all nodes at once."""
        for server in self.servers:
            server.begin()
        for server in self.servers:
            server.ready()

    def log(self) -> list[dict[str, Any]]:
        """The log lines of all nodes."""
        return [line for server in self.servers for line in server.log()]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[list[Rpc]]:
        """Connect to each node, with one kind of job for all."""
        async with AsyncExitStack() as stack:
            rpcs = [await stack.enter_async_context(connect(server.address)) for server in self.servers]
            for rpc in rpcs:
                rpc.kind = rpcs[0].kind
            yield rpcs

    def __enter__(self) -> Self:
        try:
            self.restart()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self.servers:
            server.__exit__(kind, error, trace)
