"""Follow the events of a job, as far as estimates need them: which stages run, and at which pace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from milepost.server.forecasting.job_progress import JobProgress, StageProgress
from milepost.server.forecasting.pace_curve import CurveBuilder
from milepost.server.forecasting.past_run import PastRun, StageRun, past_run
from milepost.server.messages.timestamps import instant
from milepost.v1 import Event, Job, Stage

STAGE_LIMIT: Final = 64
"""Stages of a job that are followed; the times of further ones count as gaps between these."""

_BYTES: Final = 600
_STAGE_BYTES: Final = 500
_CURVE_BYTES: Final = 5000


class _ObservedStage:
    """A stage of the running attempt. Times are in seconds from its start."""

    __slots__ = (
        "builder",
        "end",
        "first_units",
        "first_update",
        "last_update",
        "start",
        "total",
        "total_known",
        "units",
        "updates",
    )

    def __init__(self, total: float | None = None, start: float | None = None) -> None:
        self.total = total
        self.total_known = False
        """Whether it had a total when it counted its first units."""
        self.start = start
        self.end: float | None = None
        self.builder: CurveBuilder | None = None
        self.units = self.first_units = self.first_update = self.last_update = 0.0
        self.updates = 0

    def update(self, units: float, now: float) -> None:
        """Note that ``units`` are done."""
        if self.start is None:
            self.start = now
        if units <= self.units:
            return
        if self.builder is None:
            self.builder = CurveBuilder()
            self.first_units, self.first_update = units, now
            self.total_known = self.total is not None
        self.builder.add(units, now - self.start)
        self.units, self.last_update = units, now
        self.updates += 1

    def progress(self) -> StageProgress:
        """How far it is."""
        return StageProgress(
            self.start,
            self.end,
            self.total,
            self.units,
            self.first_units,
            self.first_update,
            self.last_update,
            self.updates,
        )


class JobObserver:
    """Follows one job, in bounded memory. Feed it the job's events in order."""

    __slots__ = ("_parents", "_stages", "_started", "workload")

    def __init__(self, workload: float = 0.0) -> None:
        self.workload = workload
        self._started: int | None = None
        self._stages: dict[str, _ObservedStage] = {}
        self._parents: set[str] = set()

    @classmethod
    def of(cls, job: Job, now: int) -> JobObserver:
        """The observer of a job of which earlier events are not at hand: its pace so far is one straight line.

        ``now`` is in nanoseconds.
        """
        observer = cls(job.workload)
        if job.HasField("start_time"):
            observer._started = instant(job.start_time)
        observer.complete(job, now)
        return observer

    @property
    def started(self) -> int | None:
        """When the attempt started, in nanoseconds; None before."""
        return self._started

    @property
    def memory(self) -> int:
        """An upper bound of its memory in bytes, approximately."""
        counting = sum(stage.builder is not None for stage in self._stages.values())
        return _BYTES + _STAGE_BYTES * len(self._stages) + _CURVE_BYTES * counting

    def complete(self, job: Job, now: int) -> None:
        """Add what the job has and no event has said: events may be missing, or not be durable yet."""
        self._plan(islice(job.stages, STAGE_LIMIT))
        started = self._started
        if started is None:
            return
        for stage in islice(job.stages, STAGE_LIMIT):
            observed = self._stages.get(stage.stage_id)
            if observed is None or not stage.HasField("start_time"):
                continue
            observed.start = (instant(stage.start_time) - started) / 1e9
            ended = instant(stage.end_time) if stage.HasField("end_time") else None
            if stage.HasField("total"):
                observed.total = stage.total
            observed.update(stage.current, ((ended or now) - started) / 1e9)
            observed.end = None if ended is None else (ended - started) / 1e9

    def observe(self, event: Event) -> None:
        """Take one more event."""
        name = event.WhichOneof("payload")
        if name == "stage_progressed":
            progressed = event.stage_progressed
            stage = self._stages.get(progressed.stage_id)
            if stage is not None:
                if progressed.HasField("total"):
                    stage.total = progressed.total
                stage.update(progressed.current, self._now(event))
        elif name == "stage_started":
            self._plan([event.stage_started.stage])
            stage_id = event.stage_started.stage.stage_id
            stage = self._stages.get(stage_id)
            if stage is not None:  # perhaps for another time
                self._stages[stage_id] = _ObservedStage(stage.total, self._now(event))
        elif name == "stage_ended":
            stage = self._stages.get(event.stage_ended.stage_id)
            if stage is not None:
                stage.end = self._now(event)
                stage.start = stage.end if stage.start is None else stage.start
        elif name == "stages_planned":
            self._plan(event.stages_planned.stages)
        elif name == "job_started":
            self._started = instant(event.time)
            self._stages = {name: _ObservedStage(stage.total) for name, stage in self._stages.items()}
        elif name == "job_submitted":
            self.workload = event.job_submitted.job.workload
            self._plan(event.job_submitted.job.stages)

    def progress(self, now: int, fraction: float | None) -> JobProgress | None:
        """How far the job is at ``now``, in nanoseconds; None while no attempt runs."""
        if self._started is None:
            return None
        stages = {name: stage.progress() for name, stage in self._stages.items() if name not in self._parents}
        return JobProgress(max(now - self._started, 0) / 1e9, stages, self.workload, fraction)

    def run(self, ended: int) -> PastRun | None:
        """The run that ended at ``ended``, in nanoseconds; None if no attempt ran."""
        found = self.stage_runs(ended)
        return None if found is None else past_run(*found, self.workload, ended)

    def stage_runs(self, ended: int) -> tuple[float, Sequence[StageRun]] | None:
        """The duration of the run that ended at ``ended``, in seconds, and its stages; None if no attempt ran."""
        if self._started is None:
            return None
        duration = max(ended - self._started, 0) / 1e9
        stages = []
        for name, stage in self._stages.items():
            if name in self._parents or stage.start is None:
                continue
            curve = None if stage.builder is None else stage.builder.curve()
            end = duration if stage.end is None else stage.end
            stages.append(StageRun(name, stage.start, end, curve, stage.total_known))
        return duration, stages

    def _now(self, event: Event) -> float:
        return 0.0 if self._started is None else (instant(event.time) - self._started) / 1e9

    def _plan(self, stages: Iterable[Stage]) -> None:
        for stage in stages:
            if stage.parent_stage_id in self._stages:
                self._parents.add(stage.parent_stage_id)
            if stage.stage_id not in self._stages:
                if len(self._stages) >= STAGE_LIMIT:
                    continue
                self._stages[stage.stage_id] = _ObservedStage()
            if stage.HasField("total"):
                self._stages[stage.stage_id].total = stage.total
