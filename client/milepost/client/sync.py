"""The client for code without asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from milepost.client.client import Client
from milepost.client.watching import Connection, Watch
from milepost.v1 import Estimate, Event

__all__ = ["SyncClient", "SyncWatch"]

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class _Background:
    """An event loop in a thread of its own. After a fork there is a new one, since threads do not come along."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """Waits for what the coroutine returns. An interrupt of the wait cancels it."""
        try:
            loop = self._started()
        except RuntimeError:
            coroutine.close()
            raise
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        try:
            return future.result()
        except BaseException:
            if future.cancelled() and self._closed:
                raise RuntimeError("The client is closed.") from None
            future.cancel()
            raise

    def close(self) -> None:
        """Ends the thread; whoever still waits is told."""
        with self._lock:
            self._closed = True
            loop, self._loop = self._loop, None
            if loop is None or self._thread is None or self._owner != os.getpid():
                return
            asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()
            loop.close()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise RuntimeError("The client is closed.")
            if self._loop is None or self._owner != os.getpid():
                self._owner, self._loop = os.getpid(), asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="milepost client", daemon=True
                )
                self._thread.start()
            return self._loop


def _waits(
    verb: Callable[Concatenate[Client, _Parameters], Coroutine[Any, Any, _Result]],
) -> Callable[Concatenate[SyncClient, _Parameters], _Result]:
    """The same verb, which waits for its result."""

    @functools.wraps(verb)
    def call(self: SyncClient, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        return self._background.run(verb(self._client, *args, **kwargs))

    return call


def _iterates(
    verb: Callable[Concatenate[Client, _Parameters], AsyncGenerator[_Result, None]],
) -> Callable[Concatenate[SyncClient, _Parameters], Generator[_Result, None, None]]:
    """The same verb as a plain generator."""

    @functools.wraps(verb)
    def call(
        self: SyncClient, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> Generator[_Result, None, None]:
        items = verb(self._client, *args, **kwargs)
        try:
            while item := self._background.run(_next(items)):
                yield from item
        finally:
            with contextlib.suppress(RuntimeError):  # the client may be closed by now
                self._background.run(items.aclose())

    return call


class SyncClient:
    """The verbs of `Client` for code without asyncio: they wait, and what they iterate is iterated plainly.

    A context manager. It may be used from several threads. One that is made before a fork may be used after it, but not
    on both sides::

        with SyncClient("127.0.0.1:7070") as client:
            job = client.submit("archive", {"path": "/srv/photos", "output": "/srv/photos.tar.zst"})
            for event in client.watch(job.job_id):
                print(event.sequence, event.WhichOneof("payload"))
            print(client.result(job.job_id))
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        token: str | None = None,
        tls: bool = False,
        tls_ca: str | os.PathLike[str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        """See `Client`."""
        self._client = Client(address, token=token, tls=tls, tls_ca=tls_ca, timeout=timeout)
        self._background = _Background()

    @property
    def address(self) -> str:
        """Where the server is."""
        return self._client.address

    submit = _waits(Client.submit)
    get = _waits(Client.get)
    cancel = _waits(Client.cancel)
    delete = _waits(Client.delete)
    result = _waits(Client.result)
    list = _iterates(Client.list)
    follow = _iterates(Client.follow)

    def watch(
        self,
        job_id: str,
        *,
        after: int = 0,
        epoch: str = "",
        follow: bool = True,
        on_state: Callable[[Connection], None] | None = None,
        status_interval: float | None = None,
    ) -> SyncWatch:
        """See `Client.watch`. `on_state` is called in another thread."""
        watch = self._client.watch(
            job_id,
            after=after,
            epoch=epoch,
            follow=follow,
            on_state=on_state,
            status_interval=status_interval,
        )
        return SyncWatch(watch, self._background)

    def close(self) -> None:
        """Ends the connection and all calls and watches on it. Jobs go on."""
        with contextlib.suppress(RuntimeError):  # it was closed before
            self._background.run(self._client.close())
        self._background.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class SyncWatch(Iterator[Event]):
    """The events of a job, as `Watch` has them: a plain iterator, and a context manager that ends the stream."""

    def __init__(self, watch: Watch, background: _Background) -> None:
        self._watch = watch
        self._background = background
        self._ready: deque[Event] = deque()
        self._cursor = watch.cursor

    @property
    def cursor(self) -> int:
        """See `Watch.cursor`."""
        return self._cursor

    @property
    def epoch(self) -> str:
        """See `Watch.epoch`."""
        return self._watch.epoch

    @property
    def head(self) -> int:
        """See `Watch.head`."""
        return self._watch.head

    @property
    def caught_up(self) -> bool:
        """See `Watch.caught_up`."""
        return self._watch.caught_up

    @property
    def connection(self) -> Connection:
        """See `Watch.connection`."""
        return self._watch.connection

    @property
    def reconnects(self) -> int:
        """See `Watch.reconnects`."""
        return self._watch.reconnects

    @property
    def fraction(self) -> float | None:
        """See `Watch.fraction`."""
        return self._watch.fraction

    @property
    def estimate(self) -> Estimate | None:
        """See `Watch.estimate`."""
        return self._watch.estimate

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        if not self._ready:
            self._ready.extend(self._background.run(self._watch.batch()))
            if not self._ready:
                raise StopIteration
        event = self._ready.popleft()
        self._cursor = event.sequence
        return event

    def close(self) -> None:
        """Ends the watch: the stream is cancelled at the server. The job goes on."""
        self._ready.clear()
        with contextlib.suppress(RuntimeError):  # the client may be closed by now
            self._background.run(self._watch.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


async def _cancel_all() -> None:
    """Ends what else the loop does."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


async def _next(items: AsyncGenerator[_Result, None]) -> tuple[_Result, ...]:
    """The next item; none at the end."""
    async for item in items:
        return (item,)
    return ()
