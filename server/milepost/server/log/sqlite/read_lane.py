"""A lane of reads: a few threads, each with a connection of its own, for which callers take turns."""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar

import structlog

from milepost.server.base.fault_log import FaultLog
from milepost.server.log.log_errors import StoreFailed, StoreUnavailable
from milepost.server.log.sqlite import statements
from milepost.server.log.sqlite.reader import Reader
from milepost.server.scheduling.callers import Turns

_Result = TypeVar("_Result")

CACHE_TIME: Final = 5.0
"""Seconds without a read after which a thread has its connection free the cached pages."""

UNDELIVERED: Final = 8
"""Results of a lane that wait for the event loop, and so the reads that it goes on with in one pass: a replay's, with
the response that it sends, takes half a millisecond. Threads read no further meanwhile: what is read is in memory, and
what comes of it takes longer than to read it."""

# Seconds until what had no memory is tried again.
_MEMORY_RETRY: Final = 0.05

# Errors of the disk and of others at the database: the statement and the data are right. For SQLITE_NOMEM sqlite3
# raises MemoryError.
_OF_THE_STORE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
    }
)

_logger = structlog.get_logger("milepost.store")


class _Read(NamedTuple):
    function: Callable[[Reader], Any]
    result: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class ReadLane:
    """Runs reads on ``threads`` threads. It calls ``open_reader`` once on each of them, for its first read."""

    def __init__(
        self,
        open_reader: Callable[[], Reader],
        threads: int,
        name: str,
        cache_time: float = CACHE_TIME,
    ) -> None:
        self._open_reader = open_reader
        self._cache_time = cache_time
        self._waiting: Turns[_Read] = Turns()
        self._lock = threading.Lock()
        self._room = threading.Semaphore(UNDELIVERED)
        # True for each read that waits, and at the end False for each thread.
        self._wanted: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._is_closed = False
        self._faults = FaultLog(_logger, "read failed", logging.ERROR)
        self._threads = [
            threading.Thread(target=self._serve, name=f"milepost-{name}_{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, caller: str, function: Callable[[Reader], _Result]) -> _Result:
        """Call the function with a reader when it is the caller's turn. One that is cancelled before takes no turn.

        Raises StoreUnavailable after an error of the disk or without memory, StoreFailed once it is closed, and what
        the function raises.
        """
        if self._is_closed:
            raise StoreFailed("the store is closed")
        loop = asyncio.get_running_loop()
        read = _Read(function, loop.create_future(), loop)
        with self._lock:
            self._waiting.put(caller, read)
        # Not this read, but the one whose turn it is when a thread is free.
        self._wanted.put(True)
        result: _Result = await read.result
        return result

    def close(self) -> None:
        """Finish pending reads and close the connections."""
        self._is_closed = True
        for _ in self._threads:
            self._wanted.put(False)
        self._room.release(self._waiting.size + len(self._threads))  # the event loop waits here
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        reader: Reader | None = None
        try:
            while self._wait_for_read(reader):
                # Such as of the log of faults: the read has its outcome by then, and others need the thread.
                with suppress(Exception):
                    reader = self._run_next(reader)
        finally:
            if reader is not None:
                reader.close()

    def _wait_for_read(self, reader: Reader | None) -> bool:
        """Wait for a read, and free what the reader has cached if none comes for long; False at the end."""
        if reader is not None:
            try:
                return self._wanted.get(timeout=self._cache_time)
            except queue.Empty:
                # What cannot be freed is left; the thread is needed for reads.
                with suppress(sqlite3.Error, MemoryError):
                    reader.free_cache()
        return self._wanted.get()

    def _run_next(self, reader: Reader | None) -> Reader | None:
        """Do the read whose turn it is; return the reader. A function, so that no result is kept until the next one."""
        self._room.acquire()
        with self._lock:
            function, result, loop = self._waiting.take()
        if result.cancelled():
            self._room.release()
            return reader
        try:
            if reader is None:
                reader = self._open_reader()
            found = function(reader)
        except StopIteration as error:  # a future cannot have it, and its caller would wait for good
            stopped = RuntimeError("a read raised StopIteration")
            stopped.__cause__ = error
            self._deliver(loop, result, result.set_exception, stopped)
        except BaseException as error:  # noqa: BLE001  # raised to the caller
            self._fail(loop, result, error)
        else:
            self._deliver(loop, result, result.set_result, found)
        return reader

    def _fail(
        self, loop: asyncio.AbstractEventLoop, result: asyncio.Future[Any], error: BaseException
    ) -> None:
        raised = _once_there_is_memory(lambda: _as_store_error(error))
        self._deliver(loop, result, result.set_exception, raised)
        if raised is not error:
            self._faults.note(str(raised), error=str(raised))

    def _deliver(
        self,
        loop: asyncio.AbstractEventLoop,
        result: asyncio.Future[Any],
        set_outcome: Callable[[Any], None],
        outcome: object,
    ) -> None:
        """Have the event loop set the outcome."""
        is_delivered = False

        def deliver() -> None:
            nonlocal is_delivered
            if is_delivered:  # scheduled twice, since the first time failed once it was done
                return
            is_delivered = True
            self._room.release()
            if not result.done():
                set_outcome(outcome)

        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            _once_there_is_memory(lambda: loop.call_soon_threadsafe(deliver))


def _once_there_is_memory(step: Callable[[], _Result]) -> _Result:
    """Repeat a step of a delivery until there is memory for it: a caller waits, and a permit of the lane is taken."""
    while True:
        try:
            return step()
        except MemoryError:
            time.sleep(_MEMORY_RETRY)


def _as_store_error(error: BaseException) -> BaseException:
    """The error for the caller of a read: one that it may repeat, where the store could not be read for now."""
    if isinstance(error, MemoryError):
        unavailable = StoreUnavailable("out of memory")  # str(error) is empty
    elif isinstance(error, sqlite3.Error) and statements.primary_code(error) in _OF_THE_STORE:
        unavailable = StoreUnavailable(str(error))
    else:
        return error
    unavailable.__cause__ = error
    return unavailable
