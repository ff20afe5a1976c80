"""Callers beyond their rate: how long their calls are delayed, and what of them is logged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from milepost.server.access.limits import throttling
from milepost.server.access.limits.throttling import Throttling
from milepost.server.base.refusal import Refusal
from milepost.v1 import ErrorReason
from tests.support.rpc import eventually


def too_many() -> Refusal:
    """A refusal; its reason is irrelevant here."""
    return Refusal(ErrorReason.ERROR_REASON_LIMIT_REACHED, "Too many.")


class Delays:
    """Records the delays that are passed to `loop.call_later`, and calls nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds: list[float] = []
        loop = asyncio.get_running_loop()
        later = loop.call_later

        def note(delay: float, *call: object) -> asyncio.TimerHandle:
            self.seconds.append(delay)
            return later(3600, lambda: None)

        monkeypatch.setattr(loop, "call_later", note)


@pytest.fixture
async def delays(monkeypatch: pytest.MonkeyPatch) -> Delays:
    """For how long calls are delayed."""
    return Delays(monkeypatch)


@pytest.fixture
async def refusing() -> AsyncIterator[list[asyncio.Task[Refusal]]]:
    """Calls that are being refused; cancelled at the end."""
    calls: list[asyncio.Task[Refusal]] = []
    yield calls
    for _ in range(2):
        for call in calls:
            call.cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*calls, return_exceptions=True)


async def refuse(
    calls: list[asyncio.Task[Refusal]], throttled: Throttling, subject: str, count: int = 1
) -> None:
    """Refuse so many calls, as far as possible without a delay."""
    calls += [asyncio.create_task(throttled.refuse(subject, too_many)) for _ in range(count)]
    for _ in range(2):
        await asyncio.sleep(0)


async def test_calls_wait_the_longer_the_more_wait(
    monkeypatch: pytest.MonkeyPatch, delays: Delays, refusing: list[asyncio.Task[Refusal]]
) -> None:
    """Refusals of a caller are spread: so many a second, each after a second at least; other callers do not wait."""
    monkeypatch.setattr(throttling, "REFUSALS_PER_SECOND", 2)
    throttled = Throttling()
    await refuse(refusing, throttled, "ci", 4)
    await refuse(refusing, throttled, "other")
    assert delays.seconds == [throttling.LOG_INTERVAL, 1, 1, 1.5, 2, throttling.LOG_INTERVAL, 1]


async def test_so_many_calls_are_delayed(
    monkeypatch: pytest.MonkeyPatch, refusing: list[asyncio.Task[Refusal]]
) -> None:
    """Of each caller and in all. Further ones are refused at once, and all when the server stops."""
    monkeypatch.setattr(throttling, "DELAYED_LIMIT", 2)
    monkeypatch.setattr(throttling, "DELAYED_TOTAL", 3)
    throttled = Throttling()
    await refuse(refusing, throttled, "ci", 3)
    await refuse(refusing, throttled, "other", 2)
    assert [call.done() for call in refusing] == [False, False, True, False, True]
    for _ in range(2):  # once by its client, and then by the server, which stops
        assert not refusing[0].done()
        refusing[0].cancel()
        await asyncio.sleep(0)
    await refuse(refusing, throttled, "ci", 2)
    assert [call.done() for call in refusing[5:]] == [False, True]
    throttled.release()
    await asyncio.gather(*refusing, return_exceptions=True)
    await refuse(refusing, throttled, "ci")
    assert not refusing[-1].done()


async def test_one_refusal_in_a_while_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """All others of a caller are one object, which is made once, and their number is logged."""
    monkeypatch.setattr(throttling, "DELAYED_LIMIT", 0)
    monkeypatch.setattr(throttling, "LOG_INTERVAL", 0.01)
    throttled = Throttling()
    with capture_logs() as lines:
        refusals = [await throttled.refuse("ci", too_many) for _ in range(4)]
        assert [refusal.is_counted for refusal in refusals] == [False, True, True, True]
        assert len(set(refusals)) == 2

        async def is_logged() -> bool:
            return bool(lines)

        await eventually(is_logged)
        assert [(line["event"], line["caller"], line["count"]) for line in lines] == [
            ("calls refused", "ci", 3)
        ]
        assert not (await throttled.refuse("ci", too_many)).is_counted

    async def is_forgotten() -> bool:
        return not throttled

    await eventually(is_forgotten)
