"""The errors of the SDK, one tree under `MilepostError`.

The class of a `ServiceError` follows from the reason that the service gives (`milepost.v1.ErrorReason`) or, without a
reason, from the status code; never from the text of a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Self

from milepost.client._job_snapshot import JobSnapshot
from milepost.client._transport.fork_safety import grpc
from milepost.contract.reasons import reason_name
from milepost.contract.sentence import sentence
from milepost.contract.status_codes import STATUS
from milepost.v1 import Cancellation, ErrorReason, Failure, Job

__all__ = [
    "Draining",
    "EpochChanged",
    "InsecureToken",
    "InvalidField",
    "JobAlreadyExists",
    "JobCancelled",
    "JobEndedError",
    "JobError",
    "JobFailed",
    "JobFailure",
    "JobLost",
    "JobNotEnded",
    "JobNotFound",
    "LeaseLost",
    "LimitReached",
    "MilepostError",
    "PermissionDenied",
    "ProtocolError",
    "ReportGap",
    "SequenceAhead",
    "SequenceTrimmed",
    "ServiceError",
    "StoreFull",
    "StoreUnavailable",
    "StreamsBlocked",
    "TokenExpired",
    "TokenUnavailable",
    "TooLarge",
    "Unauthenticated",
    "Unimplemented",
    "Unreachable",
]


class MilepostError(Exception):
    """Base of all errors of Milepost."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])

    def __copy__(self) -> Self:
        """The same error, to raise in another thread: without its traceback."""
        copied = type(self).__new__(type(self), *self.args)
        vars(copied).update(vars(self))
        return copied


class Unreachable(MilepostError):
    """The server cannot be reached.

    Attributes:
        address: Address of the server.
        why: The cause in a few words; empty if unknown.
    """

    def __init__(self, address: str, message: str = "") -> None:
        super().__init__(f"The server at {address} cannot be reached{': ' + message if message else '.'}")
        self.address = address
        self.why = message


class StreamsBlocked(Unreachable):
    """The server answers calls, but no stream gets through: a proxy cuts streams or buffers them."""

    def __init__(self, address: str) -> None:
        MilepostError.__init__(
            self,
            f"The server at {address} answers calls, but no stream gets through: "
            "a proxy in between cuts them off or holds them back.",
        )
        self.address = address
        self.why = "no stream gets through"


class InsecureToken(MilepostError):
    """A token would travel in plain text; nothing was sent.

    Attributes:
        address: Address of the server.
    """

    def __init__(self, address: str) -> None:
        super().__init__(
            f"The token would travel to {address} in plain text, for anybody on the way to read. Encrypt the "
            "connection (tls=True, or tls_ca=...), or allow that with allow_plaintext_token=True."
        )
        self.address = address


class TokenUnavailable(MilepostError):
    """No token could be obtained: the callable for tokens failed, or the token file cannot be read."""

    def __init__(self, why: str) -> None:
        super().__init__(sentence(f"No token could be obtained: {why}"))


class ProtocolError(MilepostError):
    """The server violated the contract."""


class ServiceError(MilepostError):
    """The service refused a call.

    Attributes:
        reason: Reason, for programs; ``ERROR_REASON_UNSPECIFIED`` if the service gave none that this SDK knows.
        code: The gRPC status code.
        metadata: Details of the reason, such as ``job_id``; `ErrorReason` lists them.
        violations: The invalid fields, each as (path of the field, what is wrong with it).
        retry_delay: Seconds to wait before a retry; None if a retry will not help.
    """

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = ()
    """The reasons that map to this error."""

    def __init__(
        self,
        message: str = "",
        *,
        reason: ErrorReason.ValueType | None = None,
        code: grpc.StatusCode | None = None,
        metadata: Mapping[str, str] = MappingProxyType({}),
        violations: tuple[tuple[str, str], ...] = (),
        retry_delay: float | None = None,
    ) -> None:
        super().__init__(message)
        if reason is None:
            reason = self.reasons[0] if self.reasons else ErrorReason.ERROR_REASON_UNSPECIFIED
        self.reason = reason
        self.code: grpc.StatusCode = STATUS.get(reason, grpc.StatusCode.UNKNOWN) if code is None else code
        self.metadata: dict[str, str] = dict(metadata)
        self.violations = violations
        self.retry_delay = retry_delay

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({str(self)!r}, reason={reason_name(self.reason)}, code={self.code.name})"
        )

    def _number(self, name: str) -> int:
        text = self.metadata.get(name, "")
        return int(text) if text.isdecimal() else 0


class JobNotFound(ServiceError):
    """There is no such job."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_JOB_NOT_FOUND,)


class JobAlreadyExists(ServiceError):
    """A job with this id exists, or this request_id belongs to a different submission."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_JOB_ALREADY_EXISTS,)


class JobEndedError(ServiceError):
    """The job has ended."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_JOB_ENDED,)


class JobNotEnded(ServiceError):
    """The job has not ended; cancel it first."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_JOB_NOT_ENDED,)


class _CursorError(ServiceError):
    """The server cannot resume at a cursor."""

    @property
    def requested(self) -> int:
        """The requested cursor."""
        return self._number("requested")

    @property
    def first(self) -> int:
        """The oldest event in the store."""
        return self._number("first")

    @property
    def head(self) -> int:
        """The newest event."""
        return self._number("head")


class SequenceTrimmed(_CursorError):
    """The server no longer has the events after the cursor."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_SEQUENCE_TRIMMED,)


class SequenceAhead(_CursorError):
    """The cursor is ahead of the log."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_SEQUENCE_AHEAD,)


class EpochChanged(ServiceError):
    """The cursor is of another epoch: the store was restored or replaced, or an earlier job had the id."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_EPOCH_CHANGED,)

    @property
    def requested(self) -> str:
        """The epoch of the cursor."""
        return self.metadata.get("requested", "")

    @property
    def epoch(self) -> str:
        """The epoch of the store, or in a watch of one job that of the job."""
        return self.metadata.get("epoch", "")


class LeaseLost(ServiceError):
    """Another worker holds the job, or the lease on it has expired."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_LEASE_LOST,)


class ReportGap(ServiceError):
    """Reports between the last accepted one and this one are missing."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_REPORT_GAP,)

    @property
    def expected(self) -> int:
        """The number that the next report must have."""
        return self._number("expected")

    @property
    def received(self) -> int:
        """The number that the report had."""
        return self._number("received")


class InvalidField(ServiceError):
    """A field is out of bounds; `violations` names it."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_INVALID_FIELD,)


class TooLarge(ServiceError):
    """A field or request exceeds its size limit; `violations` names the field."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_TOO_LARGE,)


class LimitReached(ServiceError):
    """A limit of the server is reached, such as on open watches or on memory; see ``retry_delay``."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_LIMIT_REACHED,)


class StoreUnavailable(ServiceError):
    """The store does not answer."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,)

    @property
    def outcome_is_unknown(self) -> bool:
        """Whether the call may have been done all the same, as the server says; otherwise it changed nothing.

        It says so of the last attempt at a call: gRPC makes up to five, of which an earlier one may have been done. Of
        the claim of a job it does not say.
        """
        return self.metadata.get("outcome") == "unknown"


class StoreFull(ServiceError):
    """The store is out of space; nothing was changed."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_STORE_FULL,)


class Draining(ServiceError):
    """The server is stopping."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_DRAINING,)


class Unauthenticated(ServiceError):
    """The server cannot identify the caller: the token is missing or invalid."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_UNAUTHENTICATED,)


class TokenExpired(Unauthenticated):
    """The token has expired or was revoked; another one is needed."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_TOKEN_EXPIRED,)


class PermissionDenied(ServiceError):
    """The caller lacks the permission for this call."""

    reasons: ClassVar[tuple[ErrorReason.ValueType, ...]] = (ErrorReason.ERROR_REASON_PERMISSION_DENIED,)


class Unimplemented(ServiceError):
    """The server does not implement this call."""


class JobError(MilepostError):
    """A job did not succeed.

    Attributes:
        job: The job in its final state.
    """

    def __init__(self, job: Job, message: str = "") -> None:
        super().__init__(message)
        self.job: JobSnapshot = JobSnapshot(job)


class JobFailed(JobError):
    """A job failed."""

    def __init__(self, job: Job) -> None:
        failure = job.failure
        super().__init__(job, f"Job {job.job_id} failed: {failure.message or job.message} ({failure.code})")

    @property
    def failure(self) -> Failure:
        """Why it failed."""
        return self.job.failure


class JobCancelled(JobError):
    """A job was cancelled."""

    def __init__(self, job: Job) -> None:
        reason = job.cancellation.reason
        super().__init__(job, f"Job {job.job_id} was cancelled{': ' + reason if reason else '.'}")

    @property
    def cancellation(self) -> Cancellation:
        """Who cancelled it, why and when."""
        return self.job.cancellation


class JobLost(JobError):
    """The worker of a job disappeared, and no attempts are left."""

    def __init__(self, job: Job) -> None:
        super().__init__(job, f"Job {job.job_id} is lost: {job.failure.message or 'its worker is gone.'}")


class JobFailure(MilepostError):
    """Raise this in a handler to fail the job with a code for programs and a message for people.

    The failure is final unless it is retryable or the job's retry policy lists its code. The server retries any other
    exception while the policy has attempts left.

    Attributes:
        code: For programs: a short constant such as ``"PATH_NOT_FOUND"``.
        message: For people: what happened, in one sentence.
        detail: For developers.
        retryable: Whether another attempt may succeed; the server then retries the job while attempts are left.
    """

    def __init__(self, code: str, message: str, detail: str = "", retryable: bool = False) -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message
        self.detail = detail
        self.retryable = retryable
