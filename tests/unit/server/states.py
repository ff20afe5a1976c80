"""Jobs in every state, made by the decisions that lead there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from milepost.fold import Fold
from milepost.server import decide
from milepost.server.messages.timestamps import SECOND
from milepost.v1 import Event, Failure, JobEnded, JobState, LogWritten, RetryPolicy, SubmitJobRequest, Update

__all__ = ["NOW", "STATES", "apply", "ended", "log_line", "run", "submitted"]

NOW = 1_000 * SECOND
"""The instant of all events here."""


def apply(state: Fold, events: Iterable[Event]) -> Fold:
    """Fold in the events."""
    for event in events:
        state.apply(event)
    return state


def submitted(request: SubmitJobRequest | None = None) -> Fold:
    """A queued job."""
    return apply(Fold(), [decide.submit(request or SubmitJobRequest(kind="k"), "j", NOW)])


def run(request: SubmitJobRequest | None = None) -> Fold:
    """A job in its first attempt."""
    state = submitted(request)
    return apply(state, [decide.start(state.job, "w", NOW)])


def log_line(text: str = "x") -> Update:
    """An update that a worker may report at any time."""
    return Update(log_written=LogWritten(text=text))


def ended(state: JobState.ValueType, *, retryable: bool = False) -> Update:
    """The end that a worker reports."""
    result = JobEnded(state=state)
    if state == JobState.JOB_STATE_FAILED:
        result.failure.CopyFrom(Failure(code="X", retryable=retryable))
    return Update(job_ended=result)


def _told(state: JobState.ValueType) -> Fold:
    running = run()
    return apply(running, [decide.report(running, ended(state), NOW)])


def _cancelling() -> Fold:
    running = run()
    return apply(
        running, decide.cancel(running.job, reason="r", requested_by="b", grace_period=10 * SECOND, now=NOW)
    )


def _cancelled() -> Fold:
    queued = submitted()
    return apply(queued, decide.cancel(queued.job, reason="r", requested_by="b", grace_period=0, now=NOW))


def _lost() -> Fold:
    running = run()
    return apply(running, decide.due(running.job, NOW, lease_is_out=True))


def _waiting() -> Fold:
    running = run(SubmitJobRequest(kind="k", retry_policy=RetryPolicy(max_attempts=2)))
    return apply(running, decide.due(running.job, NOW, lease_is_out=True))


STATES: dict[str, Callable[[], Fold]] = {
    "QUEUED": submitted,
    "QUEUED again": _waiting,
    "RUNNING": run,
    "CANCELLING": _cancelling,
    "SUCCEEDED": lambda: _told(JobState.JOB_STATE_SUCCEEDED),
    "FAILED": lambda: _told(JobState.JOB_STATE_FAILED),
    "CANCELLED": _cancelled,
    "LOST": _lost,
}
"""A new job in each state."""
