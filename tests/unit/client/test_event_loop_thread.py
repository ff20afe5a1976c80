"""The event loop thread of synchronous programs, and calls that wait when it closes."""

from __future__ import annotations

import asyncio
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
