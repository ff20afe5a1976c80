"""The context of a job, which its handler reports to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from milepost.client._arguments import check_text, is_async
from milepost.client._conversion import from_struct
from milepost.client._worker.artifacts import build_artifact
from milepost.client._worker.cancel_signal import CancelSignal
from milepost.client._worker.json_values import to_lossy_struct
from milepost.client._worker.report_warnings import ReportWarnings
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.stage_context import StageContext, StageRegistry, stage_id_of
from milepost.client._worker.truncation import truncate_bytes
from milepost.contract import limits
from milepost.contract.name_rules import name_rule
from milepost.v1 import (
    Artifact,
    ArtifactAdded,
    Custom,
    Job,
    LogWritten,
    Severity,
    Stage,
    StagesPlanned,
    Update,
)

__all__ = ["JobContext", "JobControl"]

_SEVERITIES: Final = {
    "debug": Severity.SEVERITY_DEBUG,
    "info": Severity.SEVERITY_INFO,
    "warning": Severity.SEVERITY_WARNING,
    "error": Severity.SEVERITY_ERROR,
}
# Bytes of a custom event around its data: a tag and a size.
_FIELD_OVERHEAD: Final = 4


class JobControl:
    """The worker's side of a `JobContext`.

    Attributes:
        job: The job as assigned.
        reporter: Gets the updates of the attempt.
        warnings: Gets a warning for each value that could not be reported exactly as given.
        cancel_signal: Tells the handler to stop.
        stages: The stages of the job.
    """

    def __init__(self, job: Job, reporter: Reporter) -> None:
        self.job = job
        self.reporter = reporter
        self.warnings: ReportWarnings = ReportWarnings(job.job_id, reporter)
        self.cancel_signal: CancelSignal = CancelSignal()
        self.stages: StageRegistry = StageRegistry(job, reporter, self.warnings, self.cancel_signal)


class JobContext:
    """The argument of a handler: the job, and methods to report on it.

    Thread-safe. No method waits, and none raises because of the network: reports go into a bounded buffer that is sent
    in the background. Values never fail the job either: text that is too long is truncated, visibly; a value that
    cannot be reported exactly, such as NaN, is reported in the nearest form, with a warning in the job's log. Names
    that the contract does not have, as of stages and severities, raise `ValueError`.
    """

    def __init__(self, control: JobControl) -> None:
        self._job = control.job
        self._control = control
        self._reporter = control.reporter
        self._artifacts: set[str] = {artifact.name for artifact in self._job.artifacts}

    @property
    def job_id(self) -> str:
        """The id of the job."""
        return self._job.job_id

    @property
    def id(self) -> str:
        """The same as `job_id`."""
        return self._job.job_id

    @property
    def kind(self) -> str:
        """The kind of the job."""
        return self._job.kind

    @property
    def owner(self) -> str:
        """The owner of the job; empty for none."""
        return self._job.owner

    @cached_property
    def input(self) -> dict[str, Any]:
        """The input of the job. JSON has one kind of number: whole numbers become ints, others floats."""
        return from_struct(self._job.input)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The labels that the submitter gave the job."""
        return dict(self._job.labels)

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""
        return self._job.attempt

    @property
    def message(self) -> Job:
        """The job as assigned. Read-only."""
        return self._job

    @property
    def cancelled(self) -> bool:
        """Whether the handler is to stop."""
        return self._control.cancel_signal.is_set

    def raise_if_cancelled(self) -> None:
        """Check for cancellation, in a plain handler between two steps. An async one is interrupted at its next await.

        Raises:
            Cancelled: The handler is to stop.
        """
        self._control.cancel_signal.raise_if_set()

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Call `callback` once, when the handler is to stop; now, if it is to stop already.

        It runs in the worker's event loop, so it must not block, or, in a handler process, in a thread of its own.
        An error in it is logged, and changes nothing.

        Raises:
            TypeError: It is async: have it set an event, or start a task.
        """
        if not callable(callback):
            raise TypeError(f"callback is {callback!r:.200}, and takes a plain function.")
        if is_async(callback):
            raise TypeError(
                "A callback of on_cancel is a plain function, since nobody could await an async one."
            )
        self._control.cancel_signal.add_callback(callback)

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
        """Make a stage, to be entered with ``with`` or ``async with``. This declares a stage that was not planned.

        Args:
            stage_id: Its id within the job, such as ``"hash"`` or ``"transcribe/track-2"``.
            total: Its progress at the end, in `unit`; None if unknown.
            unit: The unit of its progress, such as ``"bytes"``.
            title: Display name; empty to show the stage_id.
            weight: Its share of its parent's fraction, relative to its siblings; None for 1, or as planned.
            parent: The stage that contains it; None for a top-level stage.

        Raises:
            TypeError: The stage_id is no text.
            ValueError: The stage_id is not one, or there are too many stages.
        """
        return self._control.stages.stage(
            stage_id, total=total, unit=unit, title=title, weight=weight, parent=parent
        )

    def plan(self, stages: Sequence[Stage | str] | None = None, *, children: int = 0) -> None:
        """Announce the stages of the job, in order, parents before their children.

        Stages that have started stay as they are; these replace those that were only planned before. Without a plan,
        here or at submission, the number of stages is unknown, and no percentage is shown: so plan first, and again
        when you know more.

        Args:
            stages: Their ids, or messages with parent, weight, total, title and unit; None leaves the plan as it is.
            children: Number of child jobs, which make up the fraction of a job without stages; 0 leaves it as it is.

        Raises:
            TypeError: This is no list of ids or messages.
            ValueError: A stage_id is not one, or there are too many stages.
        """
        if type(children) is not int or not 0 <= children <= limits.CHILDREN:
            self._control.warnings.add(
                "planned children", f"A job cannot have {children} children: it is left unknown."
            )
            children = 0
        planned = self._control.stages.planned(stages)
        self._reporter.add(Update(stages_planned=StagesPlanned(stages=planned, planned_children=children)))

    def log(
        self,
        text: str,
        *,
        severity: str | Severity.ValueType = "info",
        stage: StageContext | Stage | str = "",
        **fields: Any,
    ) -> None:
        """Write a line to the log of the job.

        Args:
            text: The line; truncated at 64 KiB.
            severity: ``"debug"``, ``"info"``, ``"warning"`` or ``"error"``.
            stage: The stage that it belongs to, also within the stage's own block: ``job.log(text, stage=stage)``.
                Empty for the job as a whole.
            fields: Structured values, for programs, of at most 64 KiB.

        Raises:
            ValueError: There is no such severity.
        """
        if isinstance(severity, str):
            if severity not in _SEVERITIES:
                raise ValueError(f"There is no severity {severity!r}: use one of {', '.join(_SEVERITIES)}.")
            severity = _SEVERITIES[severity]
        elif severity not in Severity.values() or isinstance(severity, bool):
            raise ValueError(f"There is no severity {severity!r}: use one of {', '.join(_SEVERITIES)}.")
        line = LogWritten(
            stage_id=stage_id_of(stage),
            severity=severity,
            text=truncate_bytes(text, limits.LOG_TEXT_SIZE),
            fields=to_lossy_struct(fields, "fields", limits.LOG_FIELDS_SIZE, self._control.warnings.add)
            if fields
            else None,
        )
        self._reporter.add(Update(log_written=line), droppable=True)

    def artifact(
        self,
        name: str,
        uri: str,
        *,
        media_type: str = "",
        size_bytes: int = 0,
        sha256: str = "",
        stage: StageContext | Stage | str = "",
    ) -> None:
        """Register a product of the job that is stored elsewhere. It replaces an artifact of the same name.

        Values out of these bounds are omitted or truncated; an artifact without a name or a usable URI, or beyond the
        limit, becomes a warning in the job's log instead, with its name and URI.

        Args:
            name: Its name within the job; 1 to 256 characters. A job has at most 1,000 artifacts.
            uri: Where it is stored; 1 to 2,048 characters.
            media_type: Such as ``"application/json"``; at most 256 characters.
            size_bytes: Its size in bytes.
            sha256: Its SHA-256 as 64 hexadecimal digits; empty if unknown.
            stage: The stage that produced it, also within the stage's own block; empty for none.
        """
        artifact = build_artifact(
            name,
            uri,
            media_type=media_type,
            size_bytes=size_bytes,
            sha256=sha256,
            warn=self._control.warnings.add,
        )
        if isinstance(artifact, Artifact) and len({*self._artifacts, artifact.name}) > limits.ARTIFACTS:
            artifact = f"A job has at most {limits.ARTIFACTS:,} artifacts."
        if not isinstance(artifact, Artifact):
            self.log(f"{artifact} Not registered: {name!r} at {uri!r}.", severity="warning", stage=stage)
            return
        self._artifacts.add(artifact.name)
        artifact.stage_id = stage_id_of(stage)
        self._reporter.add(Update(artifact_added=ArtifactAdded(artifact=artifact)))

    def emit(self, type: str, data: Mapping[str, Any] | Message) -> None:  # noqa: A002 - the contract's own word
        """Report an event that the application defines, such as a topic found or a title chosen.

        Args:
            type: The type of the event.
            data: Its data, as JSON or as a protobuf message, of at most 256 KiB. Larger JSON is truncated, and a
                larger message omitted, with a warning.

        Raises:
            TypeError: The type is no text.
            ValueError: The type is not one.
        """
        check_text(type=type)
        custom = Custom(type=type)
        if not limits.CUSTOM_TYPE.fullmatch(type):
            raise ValueError(f"An event cannot be called {type!r}: {name_rule(limits.CUSTOM_TYPE)}.")
        if isinstance(data, Message):
            packed = AnyMessage()
            packed.Pack(data)
            custom.proto.CopyFrom(packed)
            if (size := custom.ByteSize()) > limits.CUSTOM_SIZE:
                bound = f"at most {limits.CUSTOM_SIZE:,} are allowed"
                self._control.warnings.add(
                    f"emit {type}", f"Event {type!r} is {size:,} bytes, and {bound}: it is left out."
                )
                return
        else:
            size_limit = limits.CUSTOM_SIZE - custom.ByteSize() - _FIELD_OVERHEAD
            custom.json.CopyFrom(
                to_lossy_struct(data, f"{type}: data", size_limit, self._control.warnings.add)
            )
        self._reporter.add(Update(custom=custom), droppable=True)
