"""Stages of progress bars: each bar of a job reports to a stage."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import weakref
from typing import Final

from milepost.client._worker.job_context import JobContext
from milepost.client._worker.stage_context import StageContext

__all__ = ["BarStage", "open_bar"]

_NOT_IN_ID: Final = re.compile(r"[^A-Za-z0-9._-]+")
# Leaves room for a number at the end.
_NAME_LENGTH_LIMIT: Final = 100


class BarStage:
    """The stage of one open bar.

    A bar within another, as of the batches within an epoch, is made repeatedly. All of its runs share one stage until
    the outer bar is closed. That stage has no weight: the outer one determines the fraction of the job.

    Attributes:
        stage: The stage; it has started.
    """

    def __init__(
        self, name: str, stage: StageContext, outer: BarStage | None, siblings: list[BarStage]
    ) -> None:
        self.stage = stage
        self._name = name
        self._outer = outer
        self._siblings = siblings
        # Stages of closed bars within this one, by name.
        self.inner: dict[str, StageContext] = {}
        self._closed = False

    def close(self, error: BaseException | None = None) -> None:
        """Close the bar; `error` is the exception that ended it, if any."""
        if not self._detach():
            return
        if error is None and self._outer is not None:
            self._outer.inner[self._name] = self.stage
        else:
            self._end_stages(error)

    def abandon(self) -> None:
        """Leave the stage open for an unknown reason, until the end of the job ends it."""
        if self._detach() and self._outer is not None:
            self._outer.inner[self._name] = self.stage

    def _detach(self) -> bool:
        if self._closed:
            return False
        self._closed = True
        with contextlib.suppress(ValueError):
            self._siblings.remove(self)
        return True

    def _end_stages(self, error: BaseException | None) -> None:
        for stage in (*self.inner.values(), self.stage):
            stage.__exit__(type(error) if error is not None else None, error, None)


class _Bars:
    """The open bars of a job by thread or task, the innermost last."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # a bar may be closed by the garbage collector
        self.open: weakref.WeakKeyDictionary[object, list[BarStage]] = weakref.WeakKeyDictionary()


_bars: weakref.WeakKeyDictionary[JobContext, _Bars] = weakref.WeakKeyDictionary()


def open_bar(job: JobContext, description: str, total: float | None, unit: str) -> BarStage | None:
    """Start the stage of a new bar in the calling task or thread; None if the job has too many stages."""
    name = _NOT_IN_ID.sub("-", description).strip("-.")[:_NAME_LENGTH_LIMIT] or "bar"
    bars = _bars.setdefault(job, _Bars())  # in one step, without a lock that a forked child could find held
    with bars.lock:
        siblings = bars.open.setdefault(_task_or_thread(), [])
        outer = siblings[-1] if siblings else None
        stage = outer.inner.pop(name, None) if outer is not None else None
        if stage is not None:
            stage.update(0, total=total, message="")
        else:
            try:
                stage = job.stage(
                    job._control.stages.unused_id(name),
                    total=total,
                    unit=unit,
                    title=description,
                    weight=None if outer is None else 0.0,
                )
            except ValueError:
                return None
            stage.__enter__()
        bar = BarStage(name, stage, outer, siblings)
        siblings.append(bar)
        return bar


def _task_or_thread() -> object:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return task if task is not None else threading.current_thread()
