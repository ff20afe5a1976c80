"""A job, as its handler sees it."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from milepost.client._conversion import finite, from_struct, to_stages
from milepost.client._worker.artifacts import described
from milepost.client._worker.json_values import nearest
from milepost.client._worker.report_warnings import Remarks
from milepost.client._worker.reporter import Reporter
from milepost.client._worker.stage_context import StageContext
from milepost.client._worker.truncation import clip, clip_bytes
from milepost.contract import limits
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

__all__ = ["Cancelled", "JobContext"]

_log = logging.getLogger("milepost.client")

_SEVERITIES: Final = {
    "debug": Severity.SEVERITY_DEBUG,
    "info": Severity.SEVERITY_INFO,
    "warning": Severity.SEVERITY_WARNING,
    "error": Severity.SEVERITY_ERROR,
}


# What the data of a custom event takes besides themselves, in bytes: a tag, and their size.
_OF_A_FIELD: Final = 4


class Cancelled(asyncio.CancelledError):
    """The handler is to stop: its job was cancelled, given to another worker, or given back.

    Like `asyncio.CancelledError` it is no `Exception`, so that ``except Exception`` lets it pass.
    """


class JobContext:
    """What a handler gets: the job, and the means to tell of it.

    From any thread. Nothing here waits, and nothing here raises because of the network: what is told goes into a
    bounded buffer and is sent in the background. Values never fail the job either: text that is too long is cut, and
    says so; what cannot be reported as it is, such as NaN, is reported as near as can be, with a warning in the job's
    log. Names that the contract does not have, as of stages and severities, raise `ValueError`.

    Attributes:
        remarks: Warnings of what could not be reported as it was given.
        cancelled: Whether the handler is to stop. A plain attribute, since `StageContext.track` looks at it each time.
    """

    def __init__(self, job: Job, reporter: Reporter) -> None:
        self._job = job
        self._reporter = reporter
        self.remarks = Remarks(job.job_id, reporter)
        self.cancelled = False
        # None once they were called.
        self._callbacks: list[Callable[[], object]] | None = []
        self._stages: set[str] = {stage.stage_id for stage in job.stages}
        self._entered: set[str] = set()
        self._artifacts: set[str] = {artifact.name for artifact in job.artifacts}

    @property
    def id(self) -> str:
        """Names the job."""
        return self._job.job_id

    @property
    def kind(self) -> str:
        """What sort of work it is."""
        return self._job.kind

    @cached_property
    def input(self) -> dict[str, Any]:
        """What to work on. JSON has one kind of number: whole ones come as ints, others as floats."""
        return from_struct(self._job.input)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The submitter's own marks."""
        return dict(self._job.labels)

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""
        return self._job.attempt

    @property
    def message(self) -> Job:
        """The job as it stood when it was assigned. Not to be changed."""
        return self._job

    def raise_if_cancelled(self) -> None:
        """For plain handlers, between two steps; an async one is interrupted at its next await as well.

        Raises:
            Cancelled: The handler is to stop.
        """
        if self.cancelled:
            raise Cancelled

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Has `callback` called once, when the handler is to stop; at once if it is to stop already.

        It is called in the worker's event loop, so that it must not block; in a handler's own process from another
        thread than the handler's. An error in it is logged, and changes nothing.

        Raises:
            TypeError: It is async: have it set an event, or start a task.
        """
        if inspect.iscoroutinefunction(callback):
            raise TypeError(
                "A callback of on_cancel is a plain function, since nobody could await an async one."
            )
        with self._reporter.lock:
            if self._callbacks is not None:
                self._callbacks.append(callback)
                return
        _call(callback)

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
        """A stage, to be entered with ``with`` or ``async with``. One that was not planned is declared by this.

        Args:
            stage_id: Names it within the job, as in ``"hash"`` or ``"transcribe/track-2"``.
            total: How far it will be at its end, in `unit`; None where that is not known.
            unit: What is counted, such as ``"bytes"``.
            title: For people; empty to show the stage_id.
            weight: Its share of its parent's fraction, against its siblings; None for 1, or as planned.
            parent: The stage that it is a part of; None for an outermost one.

        Raises:
            ValueError: The stage_id is not one, or there are too many stages.
        """
        stage = Stage(
            stage_id=self._declare(stage_id),
            parent_stage_id=_stage_id(parent),
            title=clip(title, limits.TITLE_LENGTH),
            weight=self._amount(weight, "weight", stage_id),
            total=self._amount(total, "total", stage_id),
            unit=clip(unit, limits.UNIT_LENGTH),
        )
        self._entered.add(stage_id)
        return StageContext(self, self._reporter, stage)

    def plan(self, stages: Sequence[Stage | str] = (), *, children: int = 0) -> None:
        """Says which stages there will be, in order; parents come before their children.

        Stages that have started stay as they are; those that were only planned before give way to these. Without a
        plan, here or where the job was submitted, nobody knows of how many stages its fraction is, and no percentage
        of it is shown: so plan first, and again when more is known.

        Args:
            stages: Their ids, or messages with parent, weight, total, title and unit.
            children: How many child jobs there will be, for a job that has no stages; 0 where that is not known.

        Raises:
            ValueError: A stage_id is not one, or there are too many stages.
        """
        if type(children) is not int or not 0 <= children <= limits.CHILDREN:
            self.remarks.add(
                "planned children", f"A job cannot have {children} children: it is left unknown."
            )
            children = 0
        planned = [
            Stage(
                stage_id=self._declare(stage.stage_id),
                parent_stage_id=stage.parent_stage_id,
                title=clip(stage.title, limits.TITLE_LENGTH),
                weight=self._amount(stage.weight, "weight", stage.stage_id)
                if stage.HasField("weight")
                else None,
                total=self._amount(stage.total, "total", stage.stage_id) if stage.HasField("total") else None,
                unit=clip(stage.unit, limits.UNIT_LENGTH),
            )
            for stage in to_stages(stages)
        ]
        self._reporter.add(Update(stages_planned=StagesPlanned(stages=planned, planned_children=children)))

    def log(
        self,
        text: str,
        *,
        severity: str | Severity.ValueType = "info",
        stage: StageContext | Stage | str = "",
        **fields: Any,
    ) -> None:
        """Writes a line of the job's own log, for those who follow it.

        Args:
            text: The line; what is over 64 KiB is cut.
            severity: ``"debug"``, ``"info"``, ``"warning"`` or ``"error"``.
            stage: The stage that it is about; empty for the job as a whole.
            fields: Values that belong to it, for programs, of at most 64 KiB.

        Raises:
            ValueError: There is no such severity.
        """
        if isinstance(severity, str):
            if severity not in _SEVERITIES:
                raise ValueError(f"There is no severity {severity!r}: use one of {', '.join(_SEVERITIES)}.")
            severity = _SEVERITIES[severity]
        line = LogWritten(
            stage_id=_stage_id(stage),
            severity=severity,
            text=clip_bytes(text, limits.LOG_TEXT_SIZE),
            fields=nearest(fields, "fields", limits.LOG_FIELDS_SIZE, self.remarks.add) if fields else None,
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
        """Registers something that the job has made, and that lies elsewhere. One of the same name is replaced.

        What is out of these bounds is left out, or cut; an artifact without a name or a usable URI, or one too many,
        is a warning in the job's log that says all that there is of it.

        Args:
            name: Names it within the job; 1 to 256 characters. A job has at most 1,000 artifacts.
            uri: Where it lies; 1 to 2,048 characters.
            media_type: Such as ``"application/json"``; at most 256 characters.
            size_bytes: Its size.
            sha256: Its SHA-256 as 64 hexadecimal digits; empty where it is not known.
            stage: The stage that made it; empty for none.
        """
        artifact = described(
            name, uri, media_type=media_type, size_bytes=size_bytes, sha256=sha256, remark=self.remarks.add
        )
        if isinstance(artifact, Artifact) and len({*self._artifacts, artifact.name}) > limits.ARTIFACTS:
            artifact = f"A job has at most {limits.ARTIFACTS:,} artifacts."
        if not isinstance(artifact, Artifact):
            self.log(f"{artifact} Not registered: {name!r} at {uri!r}.", severity="warning", stage=stage)
            return
        self._artifacts.add(artifact.name)
        artifact.stage_id = _stage_id(stage)
        self._reporter.add(Update(artifact_added=ArtifactAdded(artifact=artifact)))

    def emit(self, type: str, data: Mapping[str, Any] | Message) -> None:  # noqa: A002 - the contract's own word
        """Tells an event of the application's own, such as a topic found or a title chosen.

        Args:
            type: Names the sort of event.
            data: What it says: as JSON, or as a protobuf message; at most 256 KiB. JSON that is larger is cut, and a
                message that is larger is left out, with a warning.

        Raises:
            ValueError: The type is not one.
        """
        if not limits.CUSTOM_TYPE.fullmatch(type):
            raise ValueError(
                f"An event cannot be called {type!r}: it has to match {limits.CUSTOM_TYPE.pattern}."
            )
        custom = Custom(type=type)
        if isinstance(data, Message):
            packed = AnyMessage()
            packed.Pack(data)
            custom.proto.CopyFrom(packed)
            if (size := custom.ByteSize()) > limits.CUSTOM_SIZE:
                bound = f"at most {limits.CUSTOM_SIZE:,} are allowed"
                self.remarks.add(
                    f"emit {type}", f"Event {type!r} is {size:,} bytes, and {bound}: it is left out."
                )
                return
        else:
            room = limits.CUSTOM_SIZE - custom.ByteSize() - _OF_A_FIELD
            custom.json.CopyFrom(nearest(data, f"{type}: data", room, self.remarks.add))
        self._reporter.add(Update(custom=custom), droppable=True)

    def unused_stage_id(self, stage_id: str) -> str:
        """This one, or the next with a number behind it, if `stage` has given it out before. For bars."""
        number, unused = 1, stage_id
        while unused in self._entered:
            number += 1
            unused = f"{stage_id}-{number}"
        return unused

    def interrupt(self) -> None:
        """Tells the handler to stop. For the worker."""
        self.cancelled = True
        self.call_back()

    def call_back(self) -> None:
        """Calls what `on_cancel` was given. For the worker."""
        with self._reporter.lock:
            callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            _call(callback)

    def _amount(self, value: float | None, name: str, stage_id: str) -> float | None:
        """A number from 0 to 1e30; None for any other, which is remarked on."""
        if value is None:
            return None
        number = finite(value)
        if number is None or not 0 <= number <= limits.AMOUNT:
            text = f"The {name} of stage {stage_id!r} cannot be {value}: it is left unknown."
            self.remarks.add(f"{name} of {stage_id}", text)
            return None
        return number

    def _declare(self, stage_id: str) -> str:
        if not limits.STAGE_ID.fullmatch(stage_id):
            raise ValueError(
                f"A stage cannot be called {stage_id!r}: it has to match {limits.STAGE_ID.pattern}."
            )
        self._stages.add(stage_id)
        if len(self._stages) > limits.STAGES:
            raise ValueError(f"A job has at most {limits.STAGES} stages.")
        return stage_id


def _call(callback: Callable[[], object]) -> None:
    try:
        callback()
    except (Exception, asyncio.CancelledError):  # noqa: BLE001 - whatever it raises, the job is to stop
        _log.exception("a callback of on_cancel failed")


def _stage_id(stage: StageContext | Stage | str | None) -> str:
    return stage if isinstance(stage, str) else stage.stage_id if stage is not None else ""
