"""A stage of a job, as its handler sees it."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sized
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar, overload

from milepost.client._conversion import finite
from milepost.client._worker.failure_report import failure_of
from milepost.client._worker.truncation import clip, text_of
from milepost.contract.limits import AMOUNT, MESSAGE_LENGTH
from milepost.v1 import Failure, Stage, StageEnded, StageProgressed, StageStarted, StageState, Update

if TYPE_CHECKING:
    from milepost.client._worker.job_context import JobContext
    from milepost.client._worker.reporter import Reporter

__all__ = ["StageContext"]

# Progress is worth telling when it is this much of the whole, even before the next tick.
_STEP: Final = 0.005
# How many steps may lie about before they are added up.
_ROOM: Final = 10_000

_Item = TypeVar("_Item")


class StageContext:
    """A stage: entered with ``with`` or ``async with``, it starts; left, it ends as what happened within it.

    It ends SUCCEEDED, FAILED where an exception leaves it, or CANCELLED where that is a cancellation::

        with job.stage("hash", total=size, unit="bytes") as stage:
            for chunk in chunks:
                digest.update(chunk)
                stage.advance(len(chunk))

    From any thread, and none of it waits: what is told is thinned, buffered and sent in the background.
    """

    def __init__(self, job: JobContext, reporter: Reporter, stage: Stage) -> None:
        self._job = job
        self._reporter = reporter
        self._lock = reporter.lock
        self._stage = stage
        self._total = stage.total if stage.HasField("total") else None
        # How far it is, but for the steps that are not added up yet. To append one takes no lock, which would cost more
        # than all the rest: where there are more of them than `_room`, whoever appends adds them up. Whoever asks how
        # far it is sets `_room` to 0 before looking at the steps, so that the next one is not overlooked by both.
        self._current = 0.0
        self._steps: list[float] = []
        self._room = 0
        self._message = ""
        # From here on it is worth telling before the next tick.
        self._step_at = math.inf
        self._waits = False
        self._started = self._ended = False
        self._told_current = 0.0
        self._told_total = self._total
        self._told_message = ""

    @property
    def stage_id(self) -> str:
        """Names the stage within its job."""
        return self._stage.stage_id

    @property
    def current(self) -> float:
        """How far it is."""
        with self._lock:
            return self._sum(len(self._steps))

    @property
    def total(self) -> float | None:
        """How far it will be at its end; None where that is not known."""
        return self._total

    def advance(self, n: float = 1) -> None:
        """It is `n` further. Costs little enough to be called for every item.

        What is not finite moves nothing, and is a warning in the job's log.
        """
        if type(n) is not int:
            number = self._finite(n, "advance by")
            if number is None:
                return
            n = number
        steps = self._steps
        steps.append(n)
        if len(steps) > self._room:
            with self._lock:
                self._move()

    def update(
        self, current: float | None = None, *, total: float | None = None, message: str | None = None
    ) -> None:
        """Sets how far it is, how far it will be at its end, and a remark; what is None stays as it is.

        So does what cannot be: a number that is not finite or over 1e30, or a negative total. The job's log has a
        warning of it.
        """
        if total is not None:
            total = self._finite(total, "have a total of", least=0.0, most=AMOUNT)
        if current is not None:
            current = self._finite(current, "be at", most=AMOUNT)
        with self._lock:
            if total is not None:
                self._total = total
            if message is not None:
                self._message = clip(message, MESSAGE_LENGTH)
            if current is not None:
                self._add_up()
                self._current = current
            self._move()

    @overload
    def track(self, iterable: Iterable[_Item]) -> Iterator[_Item]: ...
    @overload
    def track(self, iterable: AsyncIterable[_Item]) -> AsyncIterator[_Item]: ...
    def track(
        self, iterable: Iterable[_Item] | AsyncIterable[_Item]
    ) -> Iterator[_Item] | AsyncIterator[_Item]:
        """The same items; the stage advances by one after each, and the job's cancellation is looked for before each.

        The stage's total becomes the number of items where the stage has none and they can be counted.
        """
        if self._total is None and isinstance(iterable, Sized):
            self.update(total=len(iterable))
        return self._track_async(iterable) if isinstance(iterable, AsyncIterable) else self._track(iterable)

    def skip(self, message: str = "") -> None:
        """Ends it as SKIPPED: there was nothing, or nothing more, to do. What is told of it later is ignored."""
        self._end(StageState.STAGE_STATE_SKIPPED, message=message)

    def stage(
        self,
        stage_id: str,
        *,
        total: float | None = None,
        unit: str = "",
        title: str = "",
        weight: float | None = None,
    ) -> StageContext:
        """A stage within this one; see `JobContext.stage`."""
        return self._job.stage(stage_id, total=total, unit=unit, title=title, weight=weight, parent=self)

    def __enter__(self) -> Self:
        with self._lock:
            if self._ended:
                raise RuntimeError(f"Stage {self.stage_id!r} has ended, and can be entered only once.")
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self._end(StageState.STAGE_STATE_SUCCEEDED)
        elif isinstance(error, asyncio.CancelledError):
            self._end(StageState.STAGE_STATE_CANCELLED)
        else:
            self._end(StageState.STAGE_STATE_FAILED, failure=failure_of(error, detail=False))

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def progress(self) -> Update | None:
        """What it has to say now. For the reporter, which holds the lock."""
        if self._ended:
            return None
        self._room = 0
        self._add_up()
        current = self._current
        if not self._waits and current == self._told_current:
            return None
        self._waits = False
        self._told_current = current
        told = StageProgressed(stage_id=self.stage_id, current=min(max(current, 0.0), AMOUNT))
        self._step_at = self._next_step(current)
        if self._total is not None and self._total != self._told_total:
            told.total = self._told_total = self._total
        if self._message != self._told_message:
            told.message = self._told_message = self._message
        return Update(stage_progressed=told)

    def _next_step(self, current: float) -> float:
        """Beyond its total, as without one, there are no parts of the whole to go by."""
        total = self._total
        return current + _STEP * total if total is not None and current < total else math.inf

    def _finite(
        self, value: float, what: str, least: float = -math.inf, most: float = math.inf
    ) -> float | None:
        number = finite(value)
        if number is None or not least <= number <= most:
            text = f"Stage {self.stage_id!r} cannot {what} {text_of(value):.100}: it stays as it is."
            self._job.remarks.add(f"stage {self.stage_id}: {what}", text)
            return None
        return number

    def _add_up(self) -> int:
        """Adds up the steps; how many they were. Others may append some meanwhile, which are left for the next time."""
        count = len(self._steps)
        self._current = self._sum(count)
        del self._steps[:count]
        return count

    def _sum(self, count: int) -> float:
        """How far it is with so many steps, but for those with which it would be nowhere."""
        steps = self._steps[:count]
        with contextlib.suppress(OverflowError):  # an int may be larger than any float
            current = self._current + sum(steps)
            if math.isfinite(current):
                return current
        current = self._current
        for step in steps:
            with contextlib.suppress(OverflowError):
                current = current + step if math.isfinite(current + step) else current
        return current

    def _move(self) -> None:
        """Takes note of how far it is, and tells it now, or with the next tick."""
        before = self._current
        count = self._add_up()
        self._room = _ROOM
        if self._ended:
            return
        self._start()
        self._waits = True
        ahead = self._step_at - self._current
        if not self._reporter.flowing:
            self._reporter.touch(self)
        elif ahead <= 0:
            update = self.progress()
            if update is not None:
                self._reporter.put(update)
        else:
            self._reporter.touch(self)
            if self._current > before:  # at this pace it is there after so many steps
                more = ahead / (self._current - before) * count
                self._room = math.ceil(min(more, _ROOM)) - 1

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._step_at = self._next_step(0.0)
            self._reporter.put(Update(stage_started=StageStarted(stage=self._stage)))

    def _end(self, state: StageState.ValueType, *, message: str = "", failure: Failure | None = None) -> None:
        with self._lock:
            if self._ended:
                return
            self._start()
            last = self.progress()
            if last is not None:
                self._reporter.put(last)
            self._ended = True
            ended = StageEnded(
                stage_id=self.stage_id, state=state, message=clip(message, MESSAGE_LENGTH), failure=failure
            )
            self._reporter.put(Update(stage_ended=ended))

    def _track(self, items: Iterable[_Item]) -> Iterator[_Item]:
        job, steps = self._job, self._steps
        for item in items:
            if job.cancelled:
                job.raise_if_cancelled()
            yield item
            steps.append(1)  # `advance`, without the call
            if len(steps) > self._room:
                with self._lock:
                    self._move()

    async def _track_async(self, items: AsyncIterable[_Item]) -> AsyncIterator[_Item]:
        async for item in items:
            self._job.raise_if_cancelled()
            yield item
            self.advance()
