"""The immutable view of a job that the client returns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from milepost.client._conversion import from_struct
from milepost.contract import job_states
from milepost.v1 import (
    Artifact,
    Cancellation,
    Dispatch,
    Estimate,
    Failure,
    Job,
    JobState,
    Retention,
    RetryPolicy,
    Stage,
)

__all__ = ["JobSnapshot"]


class JobSnapshot:
    """Immutable state of a job at one moment, with all fields of the message `milepost.v1.Job` under their names.

    Its input, result and labels are dicts, as in a handler's `JobContext`. It equals a snapshot or a message with the
    same content. Watches yield the message itself, for folding.

    `fraction` is the fraction of the job that is done. `fraction_known` says whether the number of stages, or of child
    jobs, behind it is known, because all of them were planned. Show a percentage only if it is true, otherwise the
    stages that are done. `state` is a value of the enum `JobState`, and `state_name` its name.

    Attributes:
        proto: The message, for functions that take one, such as `milepost.fold.Fold`. Print it to see all fields.
    """

    proto: Job

    def __init__(self, proto: Job) -> None:
        self.__dict__["proto"] = proto

    @property
    def state_name(self) -> str:
        """The state for people, such as ``"SUCCEEDED"``."""
        return job_states.state_name(self.proto)

    @property
    def has_ended(self) -> bool:
        """Whether the state is final: SUCCEEDED, FAILED, CANCELLED or LOST."""
        return job_states.has_ended(self.proto)

    @cached_property
    def input(self) -> dict[str, Any]:
        """Input of the job. JSON has one type of number: whole numbers arrive as ints, others as floats."""
        return from_struct(self.proto.input)

    @cached_property
    def result(self) -> dict[str, Any]:
        """Result of the job; empty if it has none, or none yet."""
        return from_struct(self.proto.result)

    @cached_property
    def labels(self) -> dict[str, str]:
        """Labels from the submission."""
        return dict(self.proto.labels)

    if TYPE_CHECKING:
        # The other fields of the message, which documents them.
        job_id: str
        kind: str
        owner: str
        parent_job_id: str
        state: JobState.ValueType
        stages: Sequence[Stage]
        fraction: float
        message: str
        artifacts: Sequence[Artifact]
        failure: Failure
        cancellation: Cancellation
        attempt: int
        retry_policy: RetryPolicy
        timeout: Duration
        workload: float
        workload_unit: str
        estimate: Estimate
        epoch: str
        first_sequence: int
        last_sequence: int
        submit_time: Timestamp
        start_time: Timestamp
        end_time: Timestamp
        worker_id: str
        dispatch: Dispatch.ValueType
        failed_attempts: int
        retry_time: Timestamp
        retention: Retention
        thinned_sequence: int
        priority: int
        concurrency_key: str
        concurrency_limit: int
        start_deadline: Duration
        attempt_timeout: Duration
        first_start_time: Timestamp
        worker_instance: str
        fraction_known: bool
        planned_children: int
        submitted_by: str
        input_size: int

        def HasField(self, field_name: str) -> bool:
            """Whether a field with presence, such as a message, is set."""

    else:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__") or name == "proto":  # for example during a copy
                raise AttributeError(name)
            return getattr(self.proto, name)

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(f"A snapshot is immutable; {name} cannot be set.")

    def __eq__(self, other: object) -> bool:
        theirs = other.proto if isinstance(other, JobSnapshot) else other
        return self.proto == theirs if isinstance(theirs, Job) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.proto.job_id)

    def __repr__(self) -> str:
        return f"<JobSnapshot {self.job_id} {self.kind} {self.state_name}>"

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.proto.DESCRIPTOR.fields_by_name})
