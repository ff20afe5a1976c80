"""A job as the client's verbs return it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from milepost.client._conversion import from_struct
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
    """A job as it stood when the server told of it: all that the message `milepost.v1.Job` has, and under its names.

    Its input, its result and its labels are dicts, as a handler has them in its `JobContext`. It cannot be changed, and
    equals another one, or a message, with the same content. What watches yield to be folded is the message itself.

    `fraction` says how much is done. `fraction_known` says whether that rests on a known number of stages, or of child
    jobs: whether all of them were planned. Show a percentage only where it is true, and else the stages that are done.

    Attributes:
        proto: The message, for what takes one, such as `milepost.fold.Fold`.
    """

    proto: Job

    def __init__(self, proto: Job) -> None:
        self.__dict__["proto"] = proto

    @cached_property
    def input(self) -> dict[str, Any]:
        """What to work on. JSON has one kind of number: whole ones come as ints, others as floats."""
        return from_struct(self.proto.input)

    @cached_property
    def result(self) -> dict[str, Any]:
        """What came of it; empty where there is nothing, or nothing yet."""
        return from_struct(self.proto.result)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The submitter's own marks."""
        return dict(self.proto.labels)

    if TYPE_CHECKING:
        # The other fields are those of the message; see there.
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

        def HasField(self, field_name: str) -> bool:
            """Whether a message, or another field that tells unset from empty, is set."""

    else:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__") or name == "proto":  # as of a copy that is being made
                raise AttributeError(name)
            return getattr(self.proto, name)

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(f"A snapshot cannot be changed; {name} is as it was.")

    def __eq__(self, other: object) -> bool:
        theirs = other.proto if isinstance(other, JobSnapshot) else other
        return self.proto == theirs if isinstance(theirs, Job) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.proto.job_id)

    def __repr__(self) -> str:
        return f"JobSnapshot({str(self.proto).strip()!r})"

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.proto.DESCRIPTOR.fields_by_name})
