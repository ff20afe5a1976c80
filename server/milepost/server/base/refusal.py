"""Refusals: the exception that the interceptor turns into a status with ``ErrorInfo``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from milepost.contract import limits
from milepost.contract.job_states import LEASED, has_ended, state_name
from milepost.contract.job_texts import no_job
from milepost.contract.printable import escape
from milepost.contract.reasons import reason_name
from milepost.v1 import ErrorReason, Job

# A refusal travels in headers. gRPC limits these to 8 KiB, and a byte of characters other than ASCII takes three there.
# A refusal quotes the request, so its texts are truncated to what takes as much as so many characters of ASCII.
_TEXT_LENGTH = 240
_VIOLATION_LIMIT = 8


class Violation(NamedTuple):
    """A field out of its bounds: a path from the request, such as ``stages[2].stage_id``, and what is wrong with it."""

    field: str
    description: str


class Refusal(Exception):
    """The request is refused. ``message`` is for people: what happened, which value, what to do."""

    def __init__(
        self,
        reason: ErrorReason.ValueType,
        message: str,
        *,
        metadata: Mapping[str, str | int] | None = None,
        violations: tuple[Violation, ...] = (),
        retry_delay: float | None = None,
    ) -> None:
        self.reason = reason
        self.message = truncate(message)
        self.metadata = {name: truncate(str(value)) for name, value in (metadata or {}).items()}
        self.violations = tuple(
            Violation(*map(truncate, violation)) for violation in violations[:_VIOLATION_LIMIT]
        )
        super().__init__(f"{reason_name(reason)}: {self.message}")
        self.retry_delay = retry_delay
        """Seconds after which the same call may succeed; None if it will not without a change."""
        self.is_recorded = False
        """Whether the audit log has it already."""
        self.is_counted = False
        """Whether many calls share it. The log has no line for each of them, but their number."""

    def within(self, path: str) -> Refusal:
        """The same refusal with field paths below ``path``, for a message that contains the refused one."""
        if not self.violations:
            return self
        return Refusal(
            self.reason,
            f"{path}.{self.message}",
            metadata={name: f"{path}.{value}" for name, value in self.metadata.items()},
            violations=tuple(Violation(f"{path}.{field}", text) for field, text in self.violations),
        )


def truncate(text: str) -> str:
    """The text as a status may have it: printable, and short."""
    escaped = escape(text[: _TEXT_LENGTH + 1])
    room = _TEXT_LENGTH
    for index, character in enumerate(escaped):
        room -= 1 if character.isascii() else 3 * len(character.encode())
        if room < 0:
            return f"{escaped[:index]}..."
    return escaped


def job_not_found(job_id: str) -> Refusal:
    """No job has this id."""
    return Refusal(
        ErrorReason.ERROR_REASON_JOB_NOT_FOUND,
        no_job(job_id),
        metadata={"job_id": job_id},
    )


def job_ended(job: Job) -> Refusal:
    """The job has ended; the message says how."""
    state = state_name(job)
    # Without the failure's message: refusals are logged, and that text belongs to the job.
    why = f" with {job.failure.code}" if job.failure.code else ""
    attempts = f" after {job.attempt} attempts" if job.attempt > 1 else ""
    return Refusal(
        ErrorReason.ERROR_REASON_JOB_ENDED,
        f"Job {job.job_id!r} has ended: it is {state}{why}{attempts}.",
        metadata={"job_id": job.job_id, "state": state},
    )


def job_not_ended(job_id: str, state: str) -> Refusal:
    """The call requires a job that has ended."""
    return Refusal(
        ErrorReason.ERROR_REASON_JOB_NOT_ENDED,
        f"Job {job_id!r} has not ended: it is {state}. Cancel it first, or wait for its end.",
        metadata={"job_id": job_id, "state": state},
    )


def job_held(job: Job) -> Refusal:
    """Another worker holds the claimed job."""
    return Refusal(
        ErrorReason.ERROR_REASON_LEASE_LOST,
        f"Worker {job.worker_id!r} has job {job.job_id!r}, as its attempt {job.attempt}. "
        "It can be claimed once that attempt has ended, or its lease is out.",
        metadata={"job_id": job.job_id, "attempt": job.attempt},
    )


def lease_lost(job: Job) -> Refusal:
    """The lease token is not that of the current attempt, or the attempt is over; the message says which."""
    if job.state in LEASED:
        now = f"its attempt {job.attempt} is with worker {job.worker_id!r}"
    elif job.attempt:
        now = f"it waits for another attempt, since attempt {job.attempt} is over ({job.failure.code})"
    else:
        now = "no attempt at it has started"
    return Refusal(
        ErrorReason.ERROR_REASON_LEASE_LOST,
        f"Job {job.job_id!r} is not, or no longer, with the bearer of this lease: {now}. Stop working on it.",
        metadata={"job_id": job.job_id, "attempt": job.attempt},
    )


def malformed() -> Refusal:
    """The request is not a message of the method."""
    return Refusal(
        ErrorReason.ERROR_REASON_INVALID_FIELD,
        "The request cannot be decoded. Send the message that the method takes; its texts are UTF-8.",
    )


def request_too_large(size: int, limit: int = limits.REQUEST_SIZE) -> Refusal:
    """The request as a whole is over the size limit; a lower one is that of a method that takes names alone."""
    advice = (
        "Send a shorter name."
        if limit < limits.REQUEST_SIZE
        else "Split reports, and submit the address of a large input in its place."
    )
    return Refusal(
        ErrorReason.ERROR_REASON_TOO_LARGE,
        f"The request is {size:,} bytes; at most {limit:,} are accepted. {advice}",
        metadata={"size": str(size), "limit": str(limit)},
    )


def draining() -> Refusal:
    """The server is stopping."""
    return Refusal(
        ErrorReason.ERROR_REASON_DRAINING,
        "The server is stopping. Reconnect, and resume where you were.",
        retry_delay=0.5,
    )


class Unimplemented(Exception):
    """This version of the server does not implement this part of the contract; the message says which."""


def attempt_over(job: Job) -> Refusal:
    """The refusal for the worker of an attempt that is over."""
    return job_ended(job) if has_ended(job) else lease_lost(job)


def report_gap(job_id: str, expected: int, received: int) -> Refusal:
    """The refusal of a report that does not follow the one before it."""
    return Refusal(
        ErrorReason.ERROR_REASON_REPORT_GAP,
        f"Report {received} of job {job_id!r} came where {expected} was expected. Send from {expected}.",
        metadata={"job_id": job_id, "expected": expected, "received": received},
    )
