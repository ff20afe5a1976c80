"""The event loop thread of synchronous programs, and calls that wait when it closes."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

import pytest

from milepost.client._transport.event_loop_thread import EventLoopThread


def test_calls_while_it_is_closed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call during the closing fails rather than wait forever."""
    background = EventLoopThread()
    closing = threading.Thread(target=background.close)
    schedule = asyncio.run_coroutine_threadsafe

    def late(coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Future[Any]:
        if not closing.ident:
            closing.start()
            closing.join(0.1)  # it has ended by then, or waits for us
        return schedule(coroutine, loop)

    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", late)
    with pytest.raises(RuntimeError, match="The client is closed"):
        background.run(asyncio.sleep(3600))
    closing.join()


def test_it_is_closed_once_and_for_all() -> None:
    """Also if it has never run."""
    background = EventLoopThread()
    background.close()
    background.close()
    with pytest.raises(RuntimeError, match="The client is closed"):
        background.run(asyncio.sleep(0))


def test_a_call_that_begins_during_a_fork_does_not_block_the_child() -> None:
    """Another thread holds the lock at that moment, and does not exist in the child, which makes calls of its own."""
    background = EventLoopThread()
    with background._lock:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(120)
            try:
                background.run(asyncio.sleep(0))
                os._exit(0)
            finally:
                os._exit(1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.parametrize(
    ("missing", "error"),
    [
        ("threading.Thread.start", RuntimeError("can't start new thread")),
        ("asyncio.new_event_loop", OSError(24, "full")),
    ],
)
def test_a_system_without_room_fails_one_call(
    monkeypatch: pytest.MonkeyPatch, missing: str, error: Exception
) -> None:
    """The next one works, once there is room again."""
    background = EventLoopThread()

    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as full:
        full.setattr(missing, fail)
        with pytest.raises(type(error)):
            background.run(asyncio.sleep(0))
    assert background.run(asyncio.sleep(0, "done")) == "done"
    background.close()


@pytest.mark.parametrize("call", ["run", "run_to_end", "close"])
def test_a_blocking_call_from_its_own_thread_is_refused(call: str) -> None:
    """As from a callback of a watch: it would wait for itself for ever."""
    background = EventLoopThread()

    async def callback() -> None:
        with pytest.raises(RuntimeError, match="the client's own thread"):
            getattr(background, call)(*([asyncio.sleep(0)] if call != "close" else []))

    background.run(callback())
    background.close()
