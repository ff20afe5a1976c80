"""A stage of a job, as its handler sees it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sized
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar, overload

from milepost.client.worker.clipping import clip
from milepost.client.worker.failures import failure_of
from milepost.contract.limits import MESSAGE_LENGTH
from milepost.v1 import Failure, Stage, StageEnded, StageProgressed, StageStarted, StageState, Update

if TYPE_CHECKING:
    from milepost.client.worker.job import JobContext
    from milepost.client.worker.reporter import Reporter

__all__ = ["StageContext"]

# Progress is worth telling when it is this much of the whole, even before the next tick.
_STEP: Final = 0.005

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
        self._current = 0.0
        self._message = ""
        # Progress below this waits for the next tick. So low before the stage has started that the first goes through.
        self._due = -math.inf
        self._waits = False
        self._started = self._ended = False
        self._told_total = self._total
        self._told_message = ""

    @property
    def stage_id(self) -> str:
        """Names the stage within its job."""
        return self._stage.stage_id

    @property
    def current(self) -> float:
        """How far it is."""
        return self._current

    @property
    def total(self) -> float | None:
        """How far it will be at its end; None where that is not known."""
        return self._total

    def advance(self, n: float = 1) -> None:
        """It is `n` further. Costs little enough to be called for every item.

        Raises:
            ValueError: The number is NaN or infinite.
        """
        with self._lock:
            current = self._current + n
            if self._waits and current < self._due:
                self._current = current
                return
            self._move(current)

    def update(
        self, current: float | None = None, *, total: float | None = None, message: str | None = None
    ) -> None:
        """Sets how far it is, how far it will be at its end, and a remark; what is None stays as it is.

        Raises:
            ValueError: A number is NaN or infinite, or the total is negative.
        """
        if total is not None and not 0 <= total < math.inf:
            raise ValueError(f"The total of stage {self.stage_id!r} cannot be {total}.")
        with self._lock:
            if total is not None:
                self._total = total
            if message is not None:
                self._message = clip(message, MESSAGE_LENGTH)
            self._move(self._current if current is None else current)

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
        if not self._waits or self._ended:
            return None
        self._waits = False
        told = StageProgressed(stage_id=self.stage_id, current=max(self._current, 0.0))
        if self._total is not None:
            self._due = self._current + _STEP * self._total
            if self._total != self._told_total:
                told.total = self._told_total = self._total
        else:
            self._due = math.inf
        if self._message != self._told_message:
            told.message = self._told_message = self._message
        return Update(stage_progressed=told)

    def _move(self, current: float) -> None:
        """Takes note of how far it is, and tells it now, or with the next tick."""
        if not math.isfinite(current):
            raise ValueError(f"Stage {self.stage_id!r} cannot be at {current}.")
        self._current = current
        if self._ended:
            return
        self._start()
        self._waits = True
        if current >= self._due and self._reporter.flowing:
            update = self.progress()
            if update is not None:
                self._reporter.put(update)
        else:
            self._reporter.touch(self)

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._due = math.inf if self._total is None else _STEP * self._total
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
        for item in items:
            self._job.raise_if_cancelled()
            yield item
            self.advance()

    async def _track_async(self, items: AsyncIterable[_Item]) -> AsyncIterator[_Item]:
        async for item in items:
            self._job.raise_if_cancelled()
            yield item
            self.advance()
