"""Estimates in words: what a job still takes, when it may start, and what that rests on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from google.protobuf.duration_pb2 import Duration

from milepost.client._cli.rendering import text
from milepost.v1 import Estimate, EstimateBasis, Job, JobState, Waiting

__all__ = ["estimate_parts", "queue_text", "remaining", "remaining_cell", "remaining_parts", "run_parts"]

RENEWAL_TIME: Final = 6.0
"""Seconds within which another estimate comes where this one is off by a second. One of fewer would run out before
that, again and again, so that it has words from the start."""


def estimate_parts(
    job: Job, estimate: Estimate | None, waiting: Waiting | None, now: datetime
) -> Sequence[str]:
    """What a running job still takes, or a queued one will take; the most important first, empty without evidence."""
    if job.state == JobState.JOB_STATE_RUNNING and estimate is not None:
        return remaining_parts(estimate, now)
    if job.state == JobState.JOB_STATE_QUEUED and waiting is not None and waiting.HasField("run"):
        first, *more = run_parts(waiting.run)
        return [f"such a job takes {first}", *more]
    return ()


def remaining_parts(estimate: Estimate, now: datetime) -> Sequence[str]:
    """``about 03:20 left``, ``at most 05:10``, ``from 14 runs``: counted down since it was made, and never below 0."""
    if estimate.overdue:
        return ["overdue", f"over three times the longest of {text.count(estimate.sample_size, 'run')}"]
    if not estimate.HasField("remaining_p50"):
        return ()
    if _is_counted(estimate, now):
        first = f"about {text.elapsed(remaining(estimate, now))} left"
    else:
        first = "longer than expected" if _is_passed(estimate, now) else "ending any moment"
    most = estimate.remaining_p90
    at_most = _at_most(_counted_down(estimate, most, now)) if _holds(most) else []
    return [first, *at_most, *_basis(estimate)]


def run_parts(run: Estimate) -> Sequence[str]:
    """How long a job takes once it starts: ``about 03:20``, ``at most 05:10``, ``from 14 runs``."""
    most = _seconds(run.remaining_p90)
    return [f"about {text.elapsed(_seconds(run.remaining_p50))}", *_at_most(most), *_basis(run)]


def queue_text(waiting: Waiting, now: datetime) -> str:
    """Place of a job that waits for its turn, and when it may start: ``3rd of 5, starts in about 02:10``."""
    place = waiting.jobs_ahead + 1
    parts = ["waits for its turn"]
    if waiting.jobs_waiting:
        # An earlier server counts jobs of other owners, too.
        of = f" of {waiting.jobs_waiting:,}" if place <= waiting.jobs_waiting else " in the queue"
        parts = [f"{_ordinal(place)}{of}"]
    if waiting.HasField("start_p50"):
        wait = _counted_down(waiting.run, waiting.start_p50, now)
        is_counted = _holds(waiting.start_p50) and wait >= 1
        parts.append(f"starts in about {text.elapsed(wait)}" if is_counted else "starts any moment")
        if _holds(waiting.start_p90):
            parts += _at_most(_counted_down(waiting.run, waiting.start_p90, now))
    return ", ".join(parts)


def remaining_cell(job: Job, estimate: Estimate | None, now: datetime, *, words: bool = False) -> str:
    """The remaining time of a running job in a table: ``03:20``, ``soon``, ``overdue``; empty without evidence.

    With ``words``: ``about 03:20 left``, ``ending any moment``.
    """
    if job.state != JobState.JOB_STATE_RUNNING or estimate is None:
        return ""
    if job.start_time.ToNanoseconds() > estimate.as_of.ToNanoseconds():
        return ""  # the estimate is of an earlier attempt
    if estimate.overdue:
        return "overdue"
    if _is_passed(estimate, now):
        return ""
    if words:
        return next(iter(remaining_parts(estimate, now)), "")
    return text.elapsed(remaining(estimate, now)) if _is_counted(estimate, now) else "soon"


def remaining(estimate: Estimate, now: datetime) -> float:
    """Median of the remaining seconds of a job, counted down since it was made; never negative."""
    return _counted_down(estimate, estimate.remaining_p50, now)


def _is_counted(estimate: Estimate, now: datetime) -> bool:
    """Whether the remaining time is shown as a number."""
    return _holds(estimate.remaining_p50) and remaining(estimate, now) >= 1


def _holds(duration: Duration) -> bool:
    """Whether a time does not run out before another estimate has come."""
    return _seconds(duration) >= RENEWAL_TIME + 1


def _is_passed(estimate: Estimate, now: datetime) -> bool:
    """Whether the 90th percentile has passed, and no other estimate has come."""
    since = text.seconds_between(estimate.as_of, now) if estimate.HasField("as_of") else 0.0
    return since > _seconds(estimate.remaining_p90) + RENEWAL_TIME


def _counted_down(estimate: Estimate, duration: Duration, now: datetime) -> float:
    since = text.seconds_between(estimate.as_of, now) if estimate.HasField("as_of") else 0.0
    return max(_seconds(duration) - since, 0.0)


def _seconds(duration: Duration) -> float:
    return duration.seconds + duration.nanos / 1e9


def _at_most(seconds: float) -> Sequence[str]:
    return [f"at most {text.elapsed(seconds)}"] if seconds >= 1 else []


def _basis(estimate: Estimate) -> Sequence[str]:
    match estimate.basis:
        case EstimateBasis.ESTIMATE_BASIS_PACE:
            return ["from its pace so far"]
        case EstimateBasis.ESTIMATE_BASIS_WORKLOAD:
            return [f"from {text.count(estimate.sample_size, 'run')}", "scaled to its workload"]
        case _:
            return [f"from {text.count(estimate.sample_size, 'run')}"] if estimate.sample_size else []


def _ordinal(number: int) -> str:
    last, tens = number % 10, number % 100 // 10
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(last, "th") if tens != 1 else "th"
    return f"{number:,}{suffix}"
