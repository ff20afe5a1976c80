"""The record of a handler's run: its reports, and the job that they make."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from milepost.client import JobSnapshot
from milepost.client._conversion import from_struct
from milepost.fold import Fold, set_end_fraction, set_progress_fractions
from milepost.v1 import (
    Artifact,
    Custom,
    Event,
    Failure,
    Job,
    JobStarted,
    JobState,
    JobSubmitted,
    LogWritten,
    Stage,
    StageState,
    Update,
)

__all__ = ["HandlerRun", "Recording"]


class Recording:
    """The reports of a handler so far.

    Attributes:
        fold: The job.
        updates: All reports.
        logs: The log lines among them.
        custom: The custom events among them.
        error: The exception that left the handler.
    """

    def __init__(self, job: Job) -> None:
        """`job` is the job as submitted, with the number of the attempt; the recording starts it."""
        self.fold: Fold = Fold(job)
        self.updates: list[Update] = []
        self.logs: list[LogWritten] = []
        self.custom: list[Custom] = []
        self.error: BaseException | None = None
        self.record(Event(job_submitted=JobSubmitted(job=job)))
        self.record(Event(job_started=JobStarted(worker_id="test")))

    def record(self, event: Event) -> None:
        """Apply the next event of the job."""
        job = self.fold.job
        event.job_id, event.attempt, event.sequence = job.job_id, job.attempt, job.last_sequence + 1
        event.time.GetCurrentTime()
        self.fold.apply(event)

    def record_error(self, error: BaseException | None) -> None:
        """Record the exception that left the handler, if any."""
        self.error = error

    def record_update(self, update: Update) -> None:
        """Record a report, and apply the event that a server would make of it.

        Raises:
            ValueError: A server would refuse the report, since it does not fit the stages of the job.
        """
        event = Event()
        name = update.WhichOneof("update")
        assert name is not None
        getattr(event, name).CopyFrom(getattr(update, name))
        match name:
            case "stages_planned":
                self._check_plan(update.stages_planned.stages)
            case "stage_started":
                self._check_start(update.stage_started.stage)
            case "stage_progressed":
                set_progress_fractions(self.fold, event.stage_progressed)
            case "stage_ended":
                set_end_fraction(self.fold, event.stage_ended)
            case "log_written":
                self._check_stage(update.log_written.stage_id)
                self.logs.append(update.log_written)
            case "artifact_added":
                self._check_stage(update.artifact_added.artifact.stage_id)
            case "custom":
                self.custom.append(update.custom)
        self.updates.append(update)
        self.record(event)

    def _check_plan(self, stages: Iterable[Stage]) -> None:
        earlier: set[str] = set()
        for stage in stages:
            if stage.stage_id in earlier:
                raise ValueError(f"Stage {stage.stage_id!r} is in the plan twice.")
            parent = stage.parent_stage_id
            if parent not in ("", *earlier, *self.fold.stages):
                raise ValueError(
                    f"Stage {stage.stage_id!r} is planned within {parent!r}, which is no stage of the job: "
                    "parents come before their children."
                )
            earlier.add(stage.stage_id)

    def _check_start(self, started: Stage) -> None:
        self._check_stage(started.parent_stage_id)
        stage = self.fold.stages.get(started.stage_id)
        if stage is None:
            return
        if stage.state != StageState.STAGE_STATE_PENDING:
            raise ValueError(
                f"Stage {started.stage_id!r} was started before: a stage starts once in an attempt."
            )
        if started.parent_stage_id not in ("", stage.parent_stage_id):
            raise ValueError(f"Stage {started.stage_id!r} was planned within {stage.parent_stage_id!r}.")

    def _check_stage(self, stage_id: str) -> None:
        if stage_id and stage_id not in self.fold.stages:
            raise ValueError(f"The job has no stage {stage_id!r}: plan or start it first.")


class HandlerRun:
    """A run of a handler: complete as `run_handler` returns it, so far where `cancel_when` gets it."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    @property
    def updates(self) -> list[Update]:
        """All reports in order, as they would be sent to a server.

        None is thinned: there is one for each change of a stage's progress, where a worker sends at most ten a second.
        """
        return list(self._recording.updates)

    @property
    def logs(self) -> list[LogWritten]:
        """The lines of the job's log, with warnings about values that could not be reported exactly as given."""
        return list(self._recording.logs)

    @property
    def error(self) -> BaseException | None:
        """The exception that left the handler; None if it returned, or still runs."""
        return self._recording.error

    @property
    def job(self) -> JobSnapshot:
        """The job as a subscriber would see it now; a copy."""
        copy = Job()
        copy.CopyFrom(self._recording.fold.job)
        return JobSnapshot(copy)

    @property
    def state(self) -> JobState.ValueType:
        """State of the job. A failure is FAILED: there are no further attempts here."""
        return self._recording.fold.job.state

    @property
    def succeeded(self) -> bool:
        """Whether the handler returned."""
        return self.state == JobState.JOB_STATE_SUCCEEDED

    @property
    def cancelled(self) -> bool:
        """Whether the job ended as cancelled. A handler that returns despite a cancellation has succeeded."""
        return self.state == JobState.JOB_STATE_CANCELLED

    @property
    def result(self) -> dict[str, Any]:
        """The result of the job; empty if there is none."""
        return from_struct(self._recording.fold.job.result)

    @property
    def failure(self) -> Failure | None:
        """The failure of the job; None if it has not failed."""
        return self._recording.fold.job.failure if self._recording.fold.job.HasField("failure") else None

    @property
    def fraction(self) -> float:
        """Fraction of the job that is done, 0 to 1."""
        return self._recording.fold.job.fraction

    @property
    def stages(self) -> dict[str, Stage]:
        """The stages by id, planned ones included."""
        return dict(self._recording.fold.stages)

    @property
    def artifacts(self) -> dict[str, Artifact]:
        """The artifacts by name."""
        return {artifact.name: artifact for artifact in self._recording.fold.job.artifacts}

    @property
    def custom_events(self) -> list[tuple[str, dict[str, Any]]]:
        """Type and data of each custom event with JSON data, in order. Messages are in `updates`."""
        return [
            (custom.type, from_struct(custom.json))
            for custom in self._recording.custom
            if custom.HasField("json")
        ]

    def progress(self, stage_id: str) -> list[float]:
        """Each progress that was reported of a stage, in its unit."""
        progressed = (
            update.stage_progressed for update in self.updates if update.HasField("stage_progressed")
        )
        return [progress.current for progress in progressed if progress.stage_id == stage_id]
