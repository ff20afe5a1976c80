"""The stages that the bars of a job report to."""

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
# With room for a number behind it.
_LENGTH: Final = 100


class BarStage:
    """The stage of one bar, until that is closed.

    A bar within another, as of the batches within an epoch, is made again and again. Its stage is one for all of them,
    until the outer bar is closed, and does not count for the fraction of the job, which the outer one tells.

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
        # Those of bars within this one, which are closed.
        self.inner: dict[str, StageContext] = {}
        self._closed = False

    def close(self, error: BaseException | None = None) -> None:
        """The bar has come to its end; or what has ended it."""
        if not self._leave():
            return
        if error is None and self._outer is not None:
            self._outer.inner[self._name] = self.stage
        else:
            self._end(error)

    def abandon(self) -> None:
        """Nothing moves any more, and nobody knows why: the stage goes on, until the job's end says what came of it."""
        if self._leave() and self._outer is not None:
            self._outer.inner[self._name] = self.stage

    def _leave(self) -> bool:
        if self._closed:
            return False
        self._closed = True
        with contextlib.suppress(ValueError):
            self._siblings.remove(self)
        return True

    def _end(self, error: BaseException | None) -> None:
        for stage in (*self.inner.values(), self.stage):
            stage.__exit__(type(error) if error is not None else None, error, None)


class _Bars:
    """The bars of a job that are open, the innermost last, for each thread and each task."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # a bar may be closed by the garbage collector
        self.open: weakref.WeakKeyDictionary[object, list[BarStage]] = weakref.WeakKeyDictionary()


_bars: weakref.WeakKeyDictionary[JobContext, _Bars] = weakref.WeakKeyDictionary()
_lock = threading.RLock()


def open_bar(job: JobContext, description: str, total: float | None, unit: str) -> BarStage | None:
    """A stage for a bar that is made here and now; None where the job has too many stages for another."""
    name = _NOT_IN_ID.sub("-", description).strip("-.")[:_LENGTH] or "bar"
    with _lock:
        bars = _bars.setdefault(job, _Bars())
    with bars.lock:
        siblings = bars.open.setdefault(_here(), [])
        outer = siblings[-1] if siblings else None
        stage = outer.inner.pop(name, None) if outer is not None else None
        if stage is not None:
            stage.update(0, total=total, message="")
        else:
            try:
                stage = job.stage(
                    job.unused_stage_id(name),
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


def _here() -> object:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return task if task is not None else threading.current_thread()
