"""Several servers that share a log in NATS."""

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
    """Nodes on a store, each with a directory of its own; ``with`` starts and ends them.

    ``stores`` is the URL for each; the options go to all of them.
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
        self._turns = itertools.count()

    @property
    def address(self) -> str:
        """All of their addresses in one; the next client gets them in another order."""
        return self.from_node(next(self._turns))

    @property
    def epoch(self) -> str:
        """That of their log."""
        (epoch,) = {server.epoch for server in self.servers}
        return epoch

    def from_node(self, number: int) -> str:
        """All of their addresses in one, from that node on. gRPC takes the first that is there."""
        first = number % len(self.servers)
        servers = [*self.servers[first:], *self.servers[:first]]
        return "ipv4:" + ",".join(server.address for server in servers)

    def kill(self) -> None:
        """``kill -9`` to all of them."""
        for server in self.servers:
            server.kill()

    def stop(self) -> int:
        """SIGTERM to one after the other; the exit status of that which fared worst."""
        return max(server.stop() for server in self.servers)

    def restart(self) -> None:
        """Starts all of them, at the same time."""
        for server in self.servers:
            server.begin()
        for server in self.servers:
            server.ready()

    def log(self) -> list[dict[str, Any]]:
        """What they have logged."""
        return [line for server in self.servers for line in server.log()]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[list[Rpc]]:
        """A channel to each, with one kind of job for all."""
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
