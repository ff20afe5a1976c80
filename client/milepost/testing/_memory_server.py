"""A server in the process of the test, with its log in memory."""

from __future__ import annotations

import contextlib
import os
from types import TracebackType
from typing import Self

from milepost.client._arguments import check_seconds, to_path
from milepost.client._transport.event_loop_thread import EventLoopThread

try:
    from milepost.server.access.credentials.credential_settings import CredentialSettings
    from milepost.server.runtime.server import Server, Settings
    from milepost.testing._server_log import level_of, server_log
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"MemoryServer needs the server, and there is no module {error.name!r}: pip install milepost-server",
        name=error.name,
    ) from error

__all__ = ["MemoryServer"]


class MemoryServer:
    """A real server on a free port of 127.0.0.1, whose log is in memory and ends with it.

    Clients, workers and generated stubs connect to its `address` as to any other server::

        async with MemoryServer() as server, Client(server.address) as client:
            await client.submit("transcribe", {"tracks": []})

    With ``async with`` it runs in the loop of the test; with plain ``with``, in a thread of its own, for tests without
    asyncio. It can be started only once. Without a token file anyone on this machine may do everything.
    """

    def __init__(
        self,
        *,
        lease_ttl: float = 30.0,
        tokens: str | os.PathLike[str] | None = None,
        log_level: str = "warning",
    ) -> None:
        """Configure the server; entering it starts it.

        Args:
            lease_ttl: Seconds after which a worker that is not heard from loses its jobs, as for ``milepost serve``.
                A test of lost workers wants it short.
            tokens: Token file, as ``milepost token create`` makes it: each call needs one of its tokens. The server
                reads it again within a second after it has changed.
            log_level: Level of the server's log: ``"debug"``, ``"info"``, which has a line for each call,
                ``"warning"`` or ``"error"``. It goes where structlog writes, which is stdout by default.

        Raises:
            TypeError: An argument has the wrong type.
            ValueError: There is no such level, or a number of seconds is negative or not finite.
        """
        self._log_level = level_of(log_level)
        check_seconds(lease_ttl=lease_ttl)
        self._lease_ttl = lease_ttl
        self._tokens = None if tokens is None else to_path(tokens, "tokens")
        self._was_started = False
        # Not the server: until that is gone, gRPC stays in use in this process, and a forked one cannot use it.
        self._address: str | None = None
        self._running = contextlib.AsyncExitStack()
        self._thread: EventLoopThread | None = None

    @property
    def address(self) -> str:
        """Address of the server, such as ``127.0.0.1:40001``.

        Raises:
            RuntimeError: It was not started.
        """
        if self._address is None:
            raise RuntimeError("The server is not running: enter it, as in `with MemoryServer() as server:`.")
        return self._address

    async def __aenter__(self) -> Self:
        if self._was_started:
            raise RuntimeError("The server was started before: make another MemoryServer.")
        self._was_started = True
        credentials = CredentialSettings(tokens=self._tokens)
        settings = Settings("127.0.0.1:0", None, lease_ttl=self._lease_ttl, credentials=credentials)
        async with contextlib.AsyncExitStack() as running:
            running.enter_context(server_log(self._log_level))
            server = Server(settings)
            running.push_async_callback(server.stop)
            await server.start()
            self._address = server.address
            self._running = running.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._running.aclose()

    def __enter__(self) -> Self:
        thread = self._thread = EventLoopThread()
        try:
            return thread.run(self.__aenter__())
        except BaseException:
            thread.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._thread is not None
        try:
            self._thread.run(self.__aexit__(kind, error, traceback))
        finally:
            self._thread.close()
