"""An event loop in a thread, for synchronous code."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from milepost.client._transport import after_fork

__all__ = ["THREAD_OF_PARENT", "EventLoopThread"]

_Result = TypeVar("_Result")


class EventLoopThread:
    """An event loop in its own thread. A forked process starts a new one, since threads do not survive a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner_pid = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._inherited_loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        after_fork.register(self)

    def run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """Run a coroutine and return its result. Interrupting the wait cancels the coroutine.

        Raises:
            RuntimeError: As for `start`; or the thread itself calls this, and would wait for itself for ever.
        """
        future = self._start_to_wait(coroutine)
        try:
            return future.result()
        except BaseException:
            if future.cancelled() and self._closed:
                raise RuntimeError("The client is closed.") from None
            future.cancel()
            raise
        finally:
            del future  # what it raised has this frame: a cycle would keep the frames of the caller

    def run_to_end(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """`run`, but the coroutine goes on where the wait for it is interrupted."""
        return self._start_to_wait(coroutine).result()

    def start(self, coroutine: Coroutine[Any, Any, _Result]) -> concurrent.futures.Future[_Result]:
        """Start a coroutine; its future resolves in the thread.

        Raises:
            RuntimeError: The thread is closed, or cannot be started.
            OSError: The process may open no more files.
        """
        try:
            with self._lock:  # close() must not stop the loop in between
                return asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())
        except (RuntimeError, OSError):
            coroutine.close()
            raise

    def close(self) -> None:
        """Stop the thread; pending calls of `run` raise RuntimeError, as does this if the thread itself calls it."""
        self.refuse_own_thread()
        with self._lock:
            self._closed = True
            loop, self._loop = self._loop, None
            if loop is None or self._thread is None or self._owner_pid != os.getpid():
                return
            asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()
            loop.close()

    def after_fork(self) -> None:
        """See `Inherited`: the next call starts a thread."""
        self._lock = threading.Lock()

    def _start_to_wait(self, coroutine: Coroutine[Any, Any, _Result]) -> concurrent.futures.Future[_Result]:
        """`start`, for a caller that waits, which must not be the thread itself."""
        try:
            self.refuse_own_thread()
        except RuntimeError:
            coroutine.close()
            raise
        return self.start(coroutine)

    def refuse_own_thread(self) -> None:
        """Check that the caller may wait for the thread.

        Raises:
            RuntimeError: It is the thread itself.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                "A blocking call came from the client's own thread, which runs callbacks such as on_state: it would "
                "wait for itself. Make the call in another thread."
            )

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._closed:
            raise RuntimeError("The client is closed.")
        if self._loop is None or self._owner_pid != os.getpid():
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=loop.run_forever, name="milepost client", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system has no room for a thread; the next call tries again
                loop.close()
                raise
            # Keep the parent's loop open: parent and child share its selector.
            self._inherited_loop = self._loop
            self._owner_pid, self._loop, self._thread = os.getpid(), loop, thread
        return self._loop


async def _cancel_all() -> None:
    """Cancel all other tasks of the loop."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


class _ThreadOfParent(EventLoopThread):
    def _running_loop(self) -> asyncio.AbstractEventLoop:
        raise RuntimeError(
            "This object was made before this process was forked, and belongs to the parent process. Make another one "
            "in this process."
        )


THREAD_OF_PARENT: Final[EventLoopThread] = _ThreadOfParent()
"""In a forked child, the thread of objects that have tasks in the parent's: each call raises RuntimeError."""
