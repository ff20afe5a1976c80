"""A lane of reads: a few threads, each with a connection of its own, for which callers take turns."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from milepost.server.base.callers import Turns
from milepost.server.log.sqlite.reader import Reader

_Result = TypeVar("_Result")


class _Read(NamedTuple):
    function: Callable[[Reader], Any]
    result: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class ReadLane:
    """Runs reads on ``threads`` threads. It calls ``open_reader`` once on each of them."""

    def __init__(self, open_reader: Callable[[], Reader], threads: int, name: str) -> None:
        self._open_reader = open_reader
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"milepost-{name}")
        self._local = threading.local()
        self._readers: list[Reader] = []
        self._waiting: Turns[_Read] = Turns()
        self._lock = threading.Lock()

    async def run(self, caller: str, function: Callable[[Reader], _Result]) -> _Result:
        """Call the function with a reader when it is the caller's turn. One that is cancelled before takes no turn."""
        loop = asyncio.get_running_loop()
        read = _Read(function, loop.create_future(), loop)
        with self._lock:
            self._waiting.put(caller, read)
        # Not this read, but the one whose turn it is when a thread is free.
        self._threads.submit(self._run_next)
        result: _Result = await read.result
        return result

    def close(self) -> None:
        """Finish pending reads and close the connections."""
        self._threads.shutdown()
        for reader in self._readers:
            reader.close()

    def _run_next(self) -> None:
        with self._lock:
            function, result, loop = self._waiting.take()
        if result.cancelled():
            return
        try:
            found = function(self._reader())
        except BaseException as error:
            loop.call_soon_threadsafe(_set_exception, result, error)
            raise  # to the executor, which ignores it
        loop.call_soon_threadsafe(_set_result, result, found)

    def _reader(self) -> Reader:
        """Return the current thread's reader."""
        reader: Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = self._open_reader()
            self._readers.append(reader)
        return reader


def _set_result(result: asyncio.Future[Any], found: object) -> None:
    if not result.done():
        result.set_result(found)


def _set_exception(result: asyncio.Future[Any], error: BaseException) -> None:
    if not result.done():
        result.set_exception(error)
