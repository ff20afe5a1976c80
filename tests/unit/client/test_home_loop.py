"""What a finalizer hands over to the event loop of its object."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest

from milepost.client._transport.home_loop import HomeLoop


async def test_the_loop_ends_what_another_thread_finds_to_be_garbage() -> None:
    """In its own thread."""
    home, ended = HomeLoop(), asyncio.Event()
    threads: list[threading.Thread] = []

    def end() -> None:
        threads.append(threading.current_thread())
        ended.set()

    await asyncio.to_thread(home.hand_over, end)
    async with asyncio.timeout(120):
        await ended.wait()

    assert threads == [threading.current_thread()]


async def make_home() -> HomeLoop:
    """That of the running loop."""
    return HomeLoop()


def test_a_closed_loop_ends_nothing() -> None:
    """And nobody gets an error: in a finalizer it would only be printed."""
    ended: list[bool] = []
    home = asyncio.run(make_home())
    home.hand_over(lambda: ended.append(True))

    assert ended == []
    assert not home.is_here


def test_a_forked_process_leaves_the_loop_of_its_parent_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its selector and its wake-up socket are those of the parent; and what was to end is the parent's."""
    loop = asyncio.new_event_loop()
    home = loop.run_until_complete(make_home())
    woken: list[object] = []
    monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *call: woken.append(call))
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(120)
        try:
            home.hand_over(lambda: None)
            os._exit(len(woken))
        finally:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    home.hand_over(lambda: None)
    monkeypatch.undo()
    loop.close()

    assert (os.waitstatus_to_exitcode(status), len(woken)) == (0, 1)
