"""An event loop beside a program that has none."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["EventLoopThread"]

_Result = TypeVar("_Result")


class EventLoopThread:
    """An event loop in a thread of its own. After a fork there is a new one, since threads do not come along."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._parents: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """Waits for what the coroutine returns. An interrupt of the wait cancels it."""
        try:
            with self._lock:  # so that it is not closed before that is on its way
                future = asyncio.run_coroutine_threadsafe(coroutine, self._started())
        except RuntimeError:
            coroutine.close()
            raise
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
        if self._closed:
            raise RuntimeError("The client is closed.")
        if self._loop is None or self._owner != os.getpid():
            # Not to be closed here, since parent and child share what it waits with.
            self._parents = self._loop
            self._owner, self._loop = os.getpid(), asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=self._loop.run_forever, name="milepost client", daemon=True
            )
            self._thread.start()
        return self._loop


async def _cancel_all() -> None:
    """Ends what else the loop does."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
