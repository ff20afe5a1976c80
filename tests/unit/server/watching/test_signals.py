"""Signals: whoever waits is woken."""

from __future__ import annotations

import asyncio

import pytest

from milepost.server.watching.signals import WOKEN_PROMPTLY, Signal


class _Waiter:
    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.is_woken = False

    def wake(self) -> None:
        """See ``Wakeable``."""
        self.is_woken = True
        if self._error is not None:
            raise self._error


@pytest.mark.parametrize("others", [0, 1, WOKEN_PROMPTLY])
@pytest.mark.parametrize("in_steps", [False, True])
async def test_all_are_woken_whatever_one_raises(*, others: int, in_steps: bool) -> None:
    """The signal has forgotten them by then, so that nobody else would wake them."""
    signal = Signal()
    waiters = [_Waiter(ValueError("a fault")), *(_Waiter() for _ in range(others))]
    for waiter in waiters:
        signal.add(waiter)
    if in_steps:
        for _ in signal.notify_in_steps():
            pass
    else:
        signal.notify()
    await asyncio.sleep(0)
    assert [waiter.is_woken for waiter in waiters] == [True] * len(waiters)
