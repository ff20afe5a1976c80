"""Fork safety, for prefork servers: gRPC works in parent and child if no call is in progress during the fork.

The thread that drives gRPC does not survive a fork, so a child whose parent was using gRPC cannot use it. Just before a
fork, idle connections are therefore closed; parent and child open new ones when they need them.

The other modules of the client import ``grpc`` from here, so that it is always imported with the settings this needs.
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
from milepost.client._transport.weak_members import members

__all__ = ["HasConnection", "claim_process", "grpc", "register"]

if TYPE_CHECKING:
    import grpc
else:
    _added = {name: value for name, value in DURING_IMPORT.items() if name not in os.environ}
    os.environ.update(_added)
    grpc = importlib.import_module("grpc")
    for _name in _added:
        del os.environ[_name]

# Seconds for a loop in another thread to release its connection.
_RELEASE_TIMEOUT: Final = 1.0
# Names of the thread that runs gRPC's asyncio support while it is in use: of grpcio 1.85, and of later versions.
_POLLER_THREADS: Final = ("_poll_wrapper", "grpc-aio-poller")
# Names of gRPC's native threads.
_NATIVE_THREAD_PREFIXES: Final = ("grpc_", "event_engine", "lifeguard")
_THREAD_DIRECTORY: Final = Path("/proc/self/task")
# Seconds for the native threads to stop, and between two checks.
_STOP_TIMEOUT: Final = 1.0
_CHECK_INTERVAL: Final = 0.0005


class HasConnection(Protocol):
    """An object with a connection to release before a fork."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop that the connection belongs to; None without a connection."""

    def release_if_idle(self) -> None:
        """Close the connection if no call is in progress; called in the thread of its loop."""


_connections: Final[weakref.WeakSet[HasConnection]] = weakref.WeakSet()
# Held around a fork, so that no thread starts to use gRPC during it.
_lock: Final = threading.Lock()
# Id of the process that uses gRPC, or used it when this one was forked; 0 for none.
_owner_pid = 0
# Whether garbage collection was enabled before the fork, which disables it.
_gc_was_enabled = False


def register(connection: HasConnection) -> None:
    """Release this connection before each fork."""
    _connections.add(connection)


def claim_process() -> None:
    """Note that this process is about to use gRPC.

    Raises:
        RuntimeError: gRPC was in use when this process was forked.
    """
    global _owner_pid  # noqa: PLW0603 - there is one gRPC in a process
    with _lock:
        if _owner_pid not in (0, os.getpid()):
            raise RuntimeError(
                "gRPC was in use when this process was forked, and cannot be used in it. Fork while no call and no "
                "watch is under way, or before the first, or spawn processes instead."
            )
        _owner_pid = os.getpid()


def _before_fork() -> None:
    global _owner_pid, _gc_was_enabled  # noqa: PLW0603 - see above
    # Without a claim, a server in this process uses gRPC, or the application itself.
    if _owner_pid in (0, os.getpid()) and _poller_is_running():
        _owner_pid = os.getpid()
        for connection in members(_connections):
            _release(connection)
        if _poller_is_running():
            gc.collect()  # finished calls may be held by exceptions in reference cycles
        _lock.acquire()
        if not _poller_is_running() and _native_threads_stopped():
            _owner_pid = 0
    else:
        _lock.acquire()
    _gc_was_enabled = gc.isenabled()
    gc.disable()


def _release(connection: HasConnection) -> None:
    loop = connection.loop
    if loop is None:
        return
    with contextlib.suppress(RuntimeError):
        if asyncio.get_running_loop() is loop:
            connection.release_if_idle()
            return
    if not loop.is_running():
        connection.release_if_idle()
        return

    async def release_if_idle() -> None:
        connection.release_if_idle()

    with contextlib.suppress(RuntimeError, concurrent.futures.TimeoutError):  # the loop is closing, or busy
        asyncio.run_coroutine_threadsafe(release_if_idle(), loop).result(_RELEASE_TIMEOUT)


def _poller_is_running() -> bool:
    return any(name in thread.name for thread in threading.enumerate() for name in _POLLER_THREADS)


def _native_threads_stopped() -> bool:
    """Wait until gRPC has stopped its native threads, which it does in the background."""
    if not _THREAD_DIRECTORY.exists():  # not on Linux; it takes about a millisecond
        time.sleep(_STOP_TIMEOUT / 10)
        return True
    deadline = time.monotonic() + _STOP_TIMEOUT
    while any(_is_native_thread(thread) for thread in _THREAD_DIRECTORY.iterdir()):
        if time.monotonic() > deadline:
            return False
        time.sleep(_CHECK_INTERVAL)
    return True


def _is_native_thread(thread: Path) -> bool:
    try:
        return (thread / "comm").read_text().startswith(_NATIVE_THREAD_PREFIXES)
    except OSError:
        return False


def _after_fork_in_parent() -> None:
    if _gc_was_enabled:
        gc.enable()
    _lock.release()


def _after_fork_in_child() -> None:
    if _owner_pid:
        gc.freeze()  # the child must not destroy the parent's gRPC objects: that would crash
    _after_fork_in_parent()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
    )
