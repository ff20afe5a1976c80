"""Stages of a job, as its handler sees them."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence, Sized
from types import TracebackType
from typing import Final, Self, TypeVar, overload

from milepost.client._arguments import check_text
from milepost.client._conversion import finite, to_stages
from milepost.client._worker.cancel_signal import CancelSignal
from milepost.client._worker.failure_report import failure_of
from milepost.client._worker.report_warnings import ReportWarnings
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.truncation import text_of, truncate
from milepost.contract import limits
from milepost.contract.limits import AMOUNT, MESSAGE_LENGTH
from milepost.contract.name_rules import name_rule
from milepost.v1 import Failure, Job, Stage, StageEnded, StageProgressed, StageStarted, StageState, Update

__all__ = ["StageContext", "StageRegistry", "stage_id_of"]

# Fraction of the total after which progress is reported before the next tick.
_REPORT_FRACTION: Final = 0.005
# Steps that may be pending before they are summed.
_PENDING_STEP_LIMIT: Final = 10_000

_Item = TypeVar("_Item")


class StageContext:
    """A stage of a job, which a ``with`` or ``async with`` block starts and ends.

    It ends SUCCEEDED, FAILED if an exception leaves the block, or CANCELLED if that is a cancellation::

        with job.stage("hash", total=size, unit="bytes") as stage:
            for chunk in chunks:
                digest.update(chunk)
                stage.advance(len(chunk))

    Thread-safe, and no method waits: progress is thinned, buffered and sent in the background.
    """

    def __init__(self, registry: StageRegistry, stage: Stage) -> None:
        self._registry = registry
        self._reporter = registry.reporter
        self._cancel_signal = registry.cancel_signal
        self._stage = stage
        self._total = stage.total if stage.HasField("total") else None
        # Progress without the pending steps. Appending a step takes no lock, which would cost more than all the rest:
        # whoever appends more than `_step_limit` of them sums them. Whoever asks for the progress sets `_step_limit`
        # to 0 before reading the steps, so that the next step cannot escape both.
        self._current = 0.0
        self._steps: list[float] = []
        self._step_limit = 0
        self._message = ""
        # Progress from which a report need not wait for the next tick.
        self._report_at = math.inf
        self._is_dirty = False
        self._started = self._ended = False
        self._reported_current = 0.0
        self._reported_total = self._total
        self._reported_message = ""

    @property
    def stage_id(self) -> str:
        """The id of the stage within its job."""
        return self._stage.stage_id

    @property
    def current(self) -> float:
        """Progress so far, in the unit of the stage."""
        with self._reporter.lock:
            return self._current_after(len(self._steps))

    @property
    def total(self) -> float | None:
        """Progress at the end of the stage; None if unknown."""
        return self._total

    def advance(self, n: float = 1) -> None:
        """Add `n` to the progress. Cheap enough to be called for each item.

        A number that is not finite changes nothing; the job's log gets a warning.
        """
        if type(n) is not int:
            number = self._finite(n, "advance by")
            if number is None:
                return
            n = number
        steps = self._steps
        steps.append(n)
        if len(steps) > self._step_limit:
            with self._reporter.lock:
                self._report_progress()

    def update(
        self, current: float | None = None, *, total: float | None = None, message: str | None = None
    ) -> None:
        """Set the progress, the total and a message; None leaves a value unchanged.

        So does an invalid number: one that is not finite or over 1e30, or a negative total. The job's log gets a
        warning.
        """
        if total is not None:
            total = self._finite(total, "have a total of", least=0.0, most=AMOUNT)
        if current is not None:
            current = self._finite(current, "be at", most=AMOUNT)
        with self._reporter.lock:
            if total is not None:
                self._total = total
            if message is not None:
                self._message = truncate(message, MESSAGE_LENGTH)
            if current is not None:
                self._sum_steps()
                self._current = current
            self._report_progress()

    @overload
    def track(self, iterable: Iterable[_Item]) -> Iterator[_Item]: ...
    @overload
    def track(self, iterable: AsyncIterable[_Item]) -> AsyncIterator[_Item]: ...
    def track(
        self, iterable: Iterable[_Item] | AsyncIterable[_Item]
    ) -> Iterator[_Item] | AsyncIterator[_Item]:
        """Iterate over the items: advance the stage by one after each, and check for cancellation before each.

        A stage without a total gets the number of items as its total, if they have a length.
        """
        if self._total is None and isinstance(iterable, Sized):
            self.update(total=len(iterable))
        return self._track_async(iterable) if isinstance(iterable, AsyncIterable) else self._track(iterable)

    def skip(self, message: str = "") -> None:
        """End the stage as SKIPPED: there was nothing, or nothing more, to do. Later reports are ignored."""
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
        """Make a stage within this one; see `JobContext.stage`."""
        return self._registry.stage(stage_id, total=total, unit=unit, title=title, weight=weight, parent=self)

    def __enter__(self) -> Self:
        with self._reporter.lock:
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

    def _progress(self) -> Update | None:
        """The progress that is not reported yet. Called with the reporter's lock held."""
        if self._ended:
            return None
        self._step_limit = 0
        self._sum_steps()
        current = self._current
        if not self._is_dirty and current == self._reported_current:
            return None
        self._is_dirty = False
        self._reported_current = current
        progressed = StageProgressed(stage_id=self.stage_id, current=min(max(current, 0.0), AMOUNT))
        self._report_at = self._next_report_at(current)
        if self._total is not None and self._total != self._reported_total:
            progressed.total = self._reported_total = self._total
        if self._message != self._reported_message:
            progressed.message = self._reported_message = self._message
        return Update(stage_progressed=progressed)

    def _next_report_at(self, current: float) -> float:
        """Progress at which to report before the next tick; infinite without a total, and beyond it."""
        total = self._total
        return current + _REPORT_FRACTION * total if total is not None and current < total else math.inf

    def _finite(
        self, value: float, what: str, least: float = -math.inf, most: float = math.inf
    ) -> float | None:
        number = finite(value)
        if number is None or not least <= number <= most:
            text = f"Stage {self.stage_id!r} cannot {what} {text_of(value):.100}: it stays as it is."
            self._registry.warnings.add(f"stage {self.stage_id}: {what}", text)
            return None
        return number

    def _sum_steps(self) -> int:
        """Sum the pending steps and return their number. Steps that other threads append meanwhile stay pending."""
        count = len(self._steps)
        self._current = self._current_after(count)
        del self._steps[:count]
        return count

    def _current_after(self, count: int) -> float:
        """Progress after the first `count` pending steps, without those that would make it infinite."""
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

    def _report_progress(self) -> None:
        """Report the progress, now or with the next tick."""
        before = self._current
        count = self._sum_steps()
        self._step_limit = _PENDING_STEP_LIMIT
        if self._ended:
            return
        self._start()
        self._is_dirty = True
        ahead = self._report_at - self._current
        if ahead <= 0 and self._reporter.take_early_report():
            update = self._progress()
            if update is not None:
                self._reporter.add_locked(update)
        elif ahead <= 0 or not self._reporter.uncongested:
            self._reporter.schedule_progress(self._progress)
        else:
            self._reporter.schedule_progress(self._progress)
            if self._current > before:  # at this pace the report is due after so many steps
                more = ahead / (self._current - before) * count
                self._step_limit = math.ceil(min(more, _PENDING_STEP_LIMIT)) - 1

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._report_at = self._next_report_at(0.0)
            self._reporter.add_locked(Update(stage_started=StageStarted(stage=self._stage)))

    def _end(self, state: StageState.ValueType, *, message: str = "", failure: Failure | None = None) -> None:
        with self._reporter.lock:
            if self._ended:
                return
            self._start()
            last = self._progress()
            if last is not None:
                self._reporter.add_locked(last)
            self._ended = True
            ended = StageEnded(
                stage_id=self.stage_id,
                state=state,
                message=truncate(message, MESSAGE_LENGTH),
                failure=failure,
            )
            self._reporter.add_locked(Update(stage_ended=ended))

    def _track(self, items: Iterable[_Item]) -> Iterator[_Item]:
        signal, steps = self._cancel_signal, self._steps
        for item in items:
            if signal.is_set:
                signal.raise_if_set()
            yield item
            steps.append(1)  # `advance`, without the call
            if len(steps) > self._step_limit:
                with self._reporter.lock:
                    self._report_progress()

    async def _track_async(self, items: AsyncIterable[_Item]) -> AsyncIterator[_Item]:
        async for item in items:
            self._cancel_signal.raise_if_set()
            yield item
            self.advance()


class StageRegistry:
    """The stages of one job: validates their ids and numbers, and makes their contexts.

    Attributes:
        reporter: Gets the updates.
        warnings: Gets a warning for each number that is out of its bounds.
        cancel_signal: Tells the handler to stop.
    """

    def __init__(
        self, job: Job, reporter: Reporter, warnings: ReportWarnings, cancel_signal: CancelSignal
    ) -> None:
        self.reporter = reporter
        self.warnings = warnings
        self.cancel_signal = cancel_signal
        self._declared: set[str] = set()
        self._made: set[str] = set()
        self._plan: list[Stage] = []
        self.add_declared(job)

    def add_declared(self, job: Job) -> None:
        """Count the stages that the job has already; the planned ones are the plan, unless there is a newer one."""
        self._declared.update(stage.stage_id for stage in job.stages)
        self._plan = self._plan or [stage for stage in job.stages if stage.planned]

    def stage(
        self,
        stage_id: str,
        *,
        total: float | None = None,
        unit: str = "",
        title: str = "",
        weight: float | None = None,
        parent: StageContext | Stage | str | None = None,
    ) -> StageContext:
        """Make the context of a stage; see `JobContext.stage`."""
        stage = Stage(
            stage_id=self._declare(stage_id),
            parent_stage_id=stage_id_of(parent, "parent"),
            title=truncate(title, limits.TITLE_LENGTH),
            weight=self._amount(weight, "weight", stage_id),
            total=self._amount(total, "total", stage_id),
            unit=truncate(unit, limits.UNIT_LENGTH),
        )
        self._made.add(stage_id)
        return StageContext(self, stage)

    def planned(self, stages: Sequence[Stage | str] | None) -> list[Stage]:
        """The stages of a plan, within the bounds of the contract; None for the last one. See `JobContext.plan`."""
        self._plan = [
            Stage(
                stage_id=self._declare(stage.stage_id),
                parent_stage_id=stage.parent_stage_id,
                title=truncate(stage.title, limits.TITLE_LENGTH),
                weight=self._amount(stage.weight, "weight", stage.stage_id)
                if stage.HasField("weight")
                else None,
                total=self._amount(stage.total, "total", stage.stage_id) if stage.HasField("total") else None,
                unit=truncate(stage.unit, limits.UNIT_LENGTH),
            )
            for stage in (self._plan if stages is None else to_stages(stages))
        ]
        return self._plan

    def unused_id(self, stage_id: str) -> str:
        """`stage_id`, with a number appended if a stage of that id was made before."""
        number, unused = 1, stage_id
        while unused in self._made:
            number += 1
            unused = f"{stage_id}-{number}"
        return unused

    def _amount(self, value: float | None, name: str, stage_id: str) -> float | None:
        """A number from 0 to 1e30; None for any other, with a warning."""
        if value is None:
            return None
        number = finite(value)
        if number is None or not 0 <= number <= AMOUNT:
            text = f"The {name} of stage {stage_id!r} cannot be {value}: it is left unknown."
            self.warnings.add(f"{name} of {stage_id}", text)
            return None
        return number

    def _declare(self, stage_id: str) -> str:
        check_text(stage_id=stage_id)
        if not limits.STAGE_ID.fullmatch(stage_id):
            raise ValueError(f"A stage cannot be called {stage_id!r}: {name_rule(limits.STAGE_ID)}.")
        self._declared.add(stage_id)
        if len(self._declared) > limits.STAGES:
            raise ValueError(f"A job has at most {limits.STAGES} stages.")
        return stage_id


def stage_id_of(stage: StageContext | Stage | str | None, name: str = "stage") -> str:
    """The id of a stage; empty for None. Raises TypeError, which calls it `name`, for what is no stage."""
    if isinstance(stage, StageContext | Stage):
        return stage.stage_id
    stage_id = "" if stage is None else stage
    check_text(**{name: stage_id})
    return stage_id
