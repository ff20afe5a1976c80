"""Forks, as prefork servers make them: gRPC works on both sides of one if it was at rest when it happened.

The thread that drives gRPC does not come along into a fork, so a process whose parent was using it cannot use it. Just
before a fork, connections on which nothing is under way are therefore ended; each side makes its own when it needs one.

The other modules of the client import ``grpc`` from here, so that it is always imported as this needs it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import importlib
import os
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from milepost.client._transport.grpc_environment import DURING_IMPORT

__all__ = ["Connected", "claim_process", "grpc", "know"]

if TYPE_CHECKING:
    import grpc
else:
    _added = {name: value for name, value in DURING_IMPORT.items() if name not in os.environ}
    os.environ.update(_added)
    grpc = importlib.import_module("grpc")
    for _name in _added:
        del os.environ[_name]

# Seconds for a loop in another thread to let go of its connection.
_LETTING_GO: Final = 1.0
# The thread that the asyncio part of gRPC runs on, for as long as anything of it is in use.
_DRIVER: Final = "_poll_wrapper"
# The threads that lie below it.
_NATIVE: Final = ("grpc_", "event_engine", "lifeguard")
_THREADS: Final = Path("/proc/self/task")
# Seconds for them to go away, and between two looks.
_STOPPING: Final = 1.0
_LOOK: Final = 0.0005


class Connected(Protocol):
    """What has a connection."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop that the connection belongs to; None where there is no connection."""

    def rest(self) -> None:
        """Ends the connection if nothing is under way on it. For the thread of its loop."""


_known: Final[weakref.WeakSet[Connected]] = weakref.WeakSet()
# Held around a fork, so that nobody begins to use gRPC while it happens.
_lock: Final = threading.Lock()
# The process that uses gRPC, or has been forked from one that did; 0 for none.
_user = 0
# Whether garbage is collected; not during a fork.
_collects = False


def know(connected: Connected) -> None:
    """Has it asked to rest before a fork."""
    _known.add(connected)


def claim_process() -> None:
    """Says that gRPC is about to be used in this process.

    Raises:
        RuntimeError: It was in use when this process was forked.
    """
    global _user  # noqa: PLW0603 - there is one gRPC in a process
    with _lock:
        if _user not in (0, os.getpid()):
            raise RuntimeError(
                "gRPC was in use when this process was forked, and cannot be used in it. Fork while no call and no "
                "watch is under way, or before the first, or have processes spawned."
            )
        _user = os.getpid()


def _before() -> None:
    global _user, _collects  # noqa: PLW0603 - see above
    if _user == os.getpid() and _is_driven():
        for connected in tuple(_known):
            _let_rest(connected)
        if _is_driven():
            gc.collect()  # calls that are over may be held by exceptions that are
        _lock.acquire()
        if not _is_driven() and _has_stopped():
            _user = 0
    else:
        _lock.acquire()
    _collects = gc.isenabled()
    gc.disable()


def _let_rest(connected: Connected) -> None:
    loop = connected.loop
    if loop is None:
        return
    with contextlib.suppress(RuntimeError):
        if asyncio.get_running_loop() is loop:
            connected.rest()
            return
    if not loop.is_running():
        connected.rest()
        return

    async def rest() -> None:
        connected.rest()

    with contextlib.suppress(RuntimeError, concurrent.futures.TimeoutError):  # it is being closed, or is busy
        asyncio.run_coroutine_threadsafe(rest(), loop).result(_LETTING_GO)


def _is_driven() -> bool:
    return any(_DRIVER in thread.name for thread in threading.enumerate())


def _has_stopped() -> bool:
    """Waits until gRPC has put its other threads away, which it does in the background."""
    if not _THREADS.exists():  # not on Linux; it takes about a millisecond
        time.sleep(_STOPPING / 10)
        return True
    until = time.monotonic() + _STOPPING
    while any(_is_grpcs(thread) for thread in _THREADS.iterdir()):
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK)
    return True


def _is_grpcs(thread: Path) -> bool:
    try:
        return (thread / "comm").read_text().startswith(_NATIVE)
    except OSError:
        return False


def _in_parent() -> None:
    if _collects:
        gc.enable()
    _lock.release()


def _in_child() -> None:
    if _user:
        gc.freeze()  # what there is of the parent's gRPC is not to be torn down here: that would crash
    _in_parent()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
