"""Several servers that share a log in NATS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType

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

    @property
    def target(self) -> str:
        """All of their addresses in one, of which gRPC takes the first that is there."""
        return "ipv4:" + ",".join(server.address for server in self.servers)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[list[Rpc]]:
        """A channel to each, with one kind of job for all."""
        async with AsyncExitStack() as stack:
            rpcs = [await stack.enter_async_context(connect(server.address)) for server in self.servers]
            for rpc in rpcs:
                rpc.kind = rpcs[0].kind
            yield rpcs

    def __enter__(self) -> Nodes:
        try:
            for server in self.servers:
                server.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self.servers:
            server.__exit__(kind, error, trace)
