"""Watches of an application share a stream, and each gets what it would get from its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import pytest

from milepost.v1 import (
    CaughtUp,
    Estimate,
    Event,
    Events,
    LogWritten,
    Opened,
    Status,
    WatchJobResponse,
)
from milepost.web import shared_watches
from milepost.web.service import ServiceError
from milepost.web.shared_watches import SharedWatches
from tests.support.rotating import until


def events(first: int, last: int, text: str = "") -> bytes:
    """A frame of events with these sequences."""
    made = [Event(sequence=each, log_written=LogWritten(text=text)) for each in range(first, last + 1)]
    return WatchJobResponse(events=Events(events=made)).SerializeToString()


def caught_up(cursor: int) -> bytes:
    """The frame for that."""
    return WatchJobResponse(caught_up=CaughtUp(sequence=cursor)).SerializeToString()


def status(cursor: int, *, has_estimate: bool = True) -> bytes:
    """A status that says something, or nothing."""
    made = Status(cursor=cursor, estimate=Estimate(overdue=True) if has_estimate else None)
    return WatchJobResponse(status=made).SerializeToString()


OPENED = WatchJobResponse(opened=Opened(epoch="e")).SerializeToString()


class Watcher:
    """One watch: its own stream, and what it was sent."""

    def __init__(self, watches: SharedWatches, *frames: bytes, key: str = "job") -> None:
        self._frames: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.sent: list[bytes] = []
        self.is_closed = False
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.may_close = asyncio.Event()
        self.may_close.set()
        self.put(OPENED, *frames)
        self.task = asyncio.create_task(watches.watch(key, self._stream(), self._send))

    def put(self, *frames: bytes | Exception | None) -> None:
        """Let its stream bring these; None is the end."""
        for frame in frames:
            self._frames.put_nowait(frame)

    @property
    def unread(self) -> int:
        """Frames that its stream has and nobody has taken."""
        return self._frames.qsize()

    async def _stream(self) -> AsyncGenerator[bytes, None]:
        try:
            while (frame := await self._frames.get()) is not None:
                if isinstance(frame, Exception):
                    raise frame
                yield frame
        finally:
            self.is_closed = True
            await self.may_close.wait()

    async def _send(self, frame: bytes) -> None:
        await self.has_room.wait()
        self.sent.append(frame)

    async def got(self, *frames: bytes) -> None:
        """Wait until it was sent as many as these, and compare."""
        await until(lambda: len(self.sent) > len(frames) or self.task.done())
        assert self.sent == [OPENED, *frames]


@pytest.fixture
async def watch() -> AsyncIterator[Callable[..., Watcher]]:
    """Begin a watch; all end with the test."""
    watches = SharedWatches()
    begun: list[Watcher] = []

    def begin(*frames: bytes, key: str = "job") -> Watcher:
        begun.append(Watcher(watches, *frames, key=key))
        return begun[-1]

    yield begin
    for each in begun:
        each.may_close.set()
        each.task.cancel()
    await asyncio.gather(*(each.task for each in begun), return_exceptions=True)
    await until(lambda: all(each.is_closed for each in begun))
    assert watches._streams == {}


async def test_those_who_have_caught_up_share_a_stream(watch: Callable[..., Watcher]) -> None:
    """Wherever they started. What comes then, each gets once, and the end."""
    first = watch(caught_up(2))
    await first.got(caught_up(2))
    second = watch(events(1, 2), caught_up(2))
    await until(lambda: second.is_closed)
    first.put(events(3, 4), status(4), None)

    await first.got(caught_up(2), events(3, 4), status(4))
    await second.got(events(1, 2), caught_up(2), events(3, 4), status(4))
    await asyncio.gather(first.task, second.task)


async def test_others_have_their_own(watch: Callable[..., Watcher]) -> None:
    """Other rights, or another filter, are another key."""
    first, second = watch(caught_up(2)), watch(caught_up(2), key="other")
    first.put(events(3, 3))

    await first.got(caught_up(2), events(3, 3))
    await second.got(caught_up(2))
    assert not second.is_closed


async def test_a_later_job_of_the_same_id(watch: Callable[..., Watcher]) -> None:
    """It is another one, whose stream nobody shares with the first."""
    first = watch(caught_up(1))
    await first.got(caught_up(1))
    opened = WatchJobResponse(opened=Opened(epoch="later")).SerializeToString()
    second = watch(opened, caught_up(1))
    first.put(events(2, 2))
    await first.got(caught_up(1), events(2, 2))
    await second.got(opened, caught_up(1))
    assert not second.is_closed


@pytest.mark.parametrize("cursor", [1, 2, 3])
async def test_who_is_behind_joins_at_an_event_that_it_has(
    watch: Callable[..., Watcher], cursor: int
) -> None:
    """It is sent the rest, with the statuses after it."""
    rest = [events(2, 2), status(2, has_estimate=False), events(3, 3)]
    first = watch(caught_up(1), *rest)
    await first.got(caught_up(1), *rest)
    second = watch(caught_up(cursor))
    first.put(events(4, 4))

    left = {1: rest, 2: rest[1:], 3: []}[cursor]
    await second.got(caught_up(cursor), *left, events(4, 4))
    assert second.is_closed


@pytest.mark.parametrize("cursor", [2, 6], ids=["within a frame", "ahead"])
async def test_who_is_elsewhere_goes_on_by_itself(watch: Callable[..., Watcher], cursor: int) -> None:
    """Until both are at the same event."""
    first = watch(caught_up(1), events(2, 4))
    await first.got(caught_up(1), events(2, 4))
    second = watch(caught_up(cursor))
    await second.got(caught_up(cursor))
    assert not second.is_closed

    first.put(events(5, 7))
    await first.got(caught_up(1), events(2, 4), events(5, 7))
    second.put(events(cursor + 1, 7))
    await until(lambda: second.is_closed)
    first.put(events(8, 8))
    await second.got(caught_up(cursor), events(cursor + 1, 7), events(8, 8))


async def test_nobody_misses_an_estimate(watch: Callable[..., Watcher]) -> None:
    """Where a stream has told one, who joins has one of its own first: it may be long until the next."""
    first = watch(caught_up(1), status(1), events(2, 2))
    await first.got(caught_up(1), status(1), events(2, 2))
    second = watch(caught_up(2))
    await second.got(caught_up(2))
    assert not second.is_closed
    second.put(status(2))
    await until(lambda: second.is_closed)
    first.put(status(2, has_estimate=False))
    await second.got(caught_up(2), status(2), status(2, has_estimate=False))

    third = watch(caught_up(2))
    await until(lambda: third.is_closed)


async def test_the_stream_goes_on_without_the_first(watch: Callable[..., Watcher]) -> None:
    """It ends with the last reader, and one that comes just then begins another."""
    first = watch(caught_up(1))
    await first.got(caught_up(1))
    second = watch(caught_up(1))
    await until(lambda: second.is_closed)
    first.task.cancel()
    await asyncio.wait((first.task,))
    first.put(events(2, 2))
    await second.got(caught_up(1), events(2, 2))
    assert not first.is_closed

    second.task.cancel()
    third = watch(caught_up(2))
    third.put(events(3, 3))
    await third.got(caught_up(2), events(3, 3))
    await until(lambda: first.is_closed)


async def test_an_error_reaches_all(watch: Callable[..., Watcher]) -> None:
    """And nobody who comes later."""
    first = watch(caught_up(1))
    await first.got(caught_up(1))
    second = watch(caught_up(1))
    await until(lambda: second.is_closed)
    error = ValueError("cut")
    first.put(error)

    await asyncio.wait((first.task, second.task))
    assert [first.task.exception(), second.task.exception()] == [error, error]
    third = watch(caught_up(1))
    third.put(events(2, 2))
    await third.got(caught_up(1), events(2, 2))


async def test_a_slow_reader(watch: Callable[..., Watcher], monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone it stalls its stream. It does not stall others: too far behind them, it is sent back."""
    monkeypatch.setattr(shared_watches, "LAG_LIMIT", 20_000)
    first = watch(caught_up(1))
    await first.got(caught_up(1))
    first.has_room.clear()
    frames = [events(number, number, "x" * 1_000) for number in range(2, 42)]
    first.put(*frames)
    await until(lambda: first.unread < len(frames))
    await asyncio.sleep(0.05)
    assert (first.unread, len(first.sent)) == (len(frames) - 1, 2)

    second = watch(caught_up(1))
    await second.got(caught_up(1), *frames)
    first.has_room.set()
    with pytest.raises(ServiceError, match="read too slowly"):
        await first.task
    assert first.sent[2:] == frames[:1]
    third = watch(caught_up(41))
    await until(lambda: third.is_closed)
    first.put(None)
    await asyncio.gather(second.task, third.task)


async def test_who_leaves_while_its_own_stream_is_closed_leaves_the_other(
    watch: Callable[..., Watcher],
) -> None:
    """Else that would go on for nobody."""
    first = watch(caught_up(1))
    await first.got(caught_up(1))
    second = watch(events(1, 1))
    second.may_close.clear()
    second.put(caught_up(1))
    await until(lambda: second.is_closed)
    second.task.cancel()
    first.task.cancel()

    await until(lambda: first.is_closed)
