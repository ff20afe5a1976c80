"""Limits of principals: how they are written, and what is counted."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace

import pytest

from milepost.server.access.limits import rates, throttling
from milepost.server.access.limits.job_usage import JobUsage, Usage
from milepost.server.access.limits.limiter import Limiter
from milepost.server.access.limits.principal_limits import Limits, parse_limit, parse_limits
from milepost.server.access.limits.rates import BURST, RateTable
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.base.refusal import Refusal
from milepost.v1 import Job, JobState

CI = Principal("ci", frozenset({"a"}), frozenset())
QUEUED, RUNNING, FAILED = (
    JobState.JOB_STATE_QUEUED,
    JobState.JOB_STATE_RUNNING,
    JobState.JOB_STATE_FAILED,
)


class HandClock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        """See ``Clock``."""
        return self.now


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("watches=7", ("watches", 7)),
        ("jobs=100", ("jobs", 100)),
        ("input=5", ("input", 5)),
        ("input=64KiB", ("input", 64 << 10)),
        ("input=64MiB", ("input", 64 << 20)),
        ("input=2GiB", ("input", 2 << 30)),
        ("requests=50/s", ("requests", 50)),
        ("events=5000", ("events", 5000)),
    ],
)
def test_how_a_limit_is_written(text: str, parsed: tuple[str, int]) -> None:
    """A name, and a number with a unit."""
    assert parse_limit(text) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jobs",
        "jobs=",
        "jobs=-1",
        "jobs=0",
        "jobs=1.5",
        "jobs=5/s",
        "jobs=5MiB",
        "events=5MiB",
        "input=5/s",
        "input=5MB",
        "beds=5",
        "jobs=5 ",
        "jobs=٣",
        "events=9999999999999999",
        "input=9999999999GiB",
        "=5",
    ],
)
def test_what_is_no_limit(text: str) -> None:
    """It is refused, with a text that quotes it."""
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        parse_limit(text)


def test_a_limit_is_given_once() -> None:
    """Two of a name contradict each other."""
    assert parse_limits(["jobs=1", "events=2/s"]) == (("jobs", 1), ("events", 2))
    with pytest.raises(ValueError, match="twice"):
        parse_limits(["jobs=1", "jobs=2"])


def test_a_credential_overrides_single_limits() -> None:
    """The others stay those of the server."""
    principal = replace(CI, limits=(("jobs", 3),))
    assert Limits(jobs=10, events=20).of(principal) == Limits(jobs=3, events=20)


async def test_a_rate_allows_a_burst_and_then_its_average(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is used is paid off with time; nothing is saved up beyond the burst."""
    monkeypatch.setattr(throttling, "DELAYED_LIMIT", 0)
    clock = HandClock()
    limiter = Limiter(Limits(requests=2), clock.monotonic)

    async def admitted() -> int:
        count = 0
        with contextlib.suppress(Refusal):
            while True:
                await limiter.admit_request(CI)
                count += 1
        return count

    burst = round(2 * BURST) + 1
    assert await admitted() == burst
    assert limiter.used(CI, 0).requests == burst
    with pytest.raises(Refusal, match="'ci' makes over 2 calls a second") as refused:
        await limiter.admit_request(CI)
    assert refused.value.metadata == {"limit": "max-requests-per-principal"}
    assert refused.value.retry_delay == pytest.approx(0.5)
    clock.now += 3
    assert await admitted() == 6
    clock.now += 1_000_000
    assert limiter.used(CI, 0).requests == 0
    assert await admitted() == burst


def test_events_are_held_back_and_never_refused() -> None:
    """Whoever reports too much waits until what it has reported is paid off, and others do not wait."""
    clock = HandClock()
    limiter = Limiter(Limits(events=100), clock.monotonic)
    assert limiter.use_events(CI, 1_000) == 0
    assert limiter.use_events(CI, 500) == pytest.approx(5)
    assert limiter.use_events(replace(CI, subject="other"), 1_000) == 0
    clock.now += 5
    assert limiter.use_events(CI, 1) == pytest.approx(0.01)
    with pytest.raises(Refusal, match="events a second"):
        limiter.admit_events(CI, 1)


async def test_without_a_credential_there_are_no_limits_of_principals() -> None:
    """Such callers have the bounds of their hosts."""
    limiter = Limiter(Limits(1, 1, 1, 1, 1), HandClock().monotonic)
    for _ in range(100):
        await limiter.admit_request(ANONYMOUS)
        limiter.admit_events(ANONYMOUS, 1_000)
    assert limiter.use_events(ANONYMOUS, 1_000_000) == 0
    with limiter.submitting(ANONYMOUS, "j", 1_000), limiter.submitting(ANONYMOUS, "k", 1_000):
        assert limiter.jobs.of("anonymous") == Usage()


def test_the_memory_of_rates_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The principals that were active last are known."""
    monkeypatch.setattr(rates, "PRINCIPALS_LIMIT", 2)
    table = RateTable(HandClock().monotonic)
    first = table.of("a")
    table.of("b")
    assert table.of("a") is first
    table.of("c")
    assert (len(table), table.of("a") is first) == (2, True)


def job(job_id: str, state: JobState.ValueType = QUEUED, subject: str = "ci", size: int = 10) -> Job:
    """A job as its transitions have it."""
    return Job(job_id=job_id, state=state, submitted_by=subject, input_size=size)


def test_jobs_count_from_their_submission_to_their_end() -> None:
    """Once each, however often they are announced; those without a submitter do not count."""
    usage = JobUsage()
    for announced in (job("a"), job("a"), job("a", RUNNING), job("a"), job("b"), job("c", subject="")):
        usage.on_transition(announced)
    assert usage.of("ci") == Usage(2, 20)
    for ended in (job("a", FAILED), job("a", FAILED), job("unknown", FAILED)):
        usage.on_transition(ended)
    assert usage.of("ci") == Usage(1, 10)
    usage.on_transition(job("b", FAILED))
    assert (usage.of("ci"), usage.memory) == (Usage(), 0)


def test_submissions_count_before_they_are_durable() -> None:
    """So that many at once cannot exceed a limit; one that fails counts no longer, and one that lasts counts once."""
    limiter = Limiter(Limits(jobs=2, input=100))
    submitting = limiter.submitting(CI, "a", 10)
    submitting.__enter__()
    assert limiter.jobs.of("ci") == Usage(1, 10)
    assert not submitting.__exit__(OSError, OSError(), None)
    assert limiter.jobs.of("ci") == Usage()
    with limiter.submitting(CI, "a", 10):
        limiter.jobs.on_transition(job("a"))
        assert limiter.jobs.of("ci") == Usage(1, 10)
    with pytest.raises(Refusal, match="bytes of input") as refused, limiter.submitting(CI, "b", 91):
        pass
    assert refused.value.metadata == {"limit": "max-input-per-principal"}
    with limiter.submitting(CI, "b", 90):
        with (
            pytest.raises(Refusal, match="2 jobs that have not ended") as refused,
            limiter.submitting(CI, "c", 0),
        ):
            pass
        assert refused.value.metadata == {"limit": "max-jobs-per-principal"}


def test_a_submission_that_was_refused_for_its_id() -> None:
    """It is not counted; the job that has the id stays counted with whoever submitted that."""
    limiter = Limiter()
    for _ in range(2):
        submitting = limiter.submitting(CI, "a", 10)
        submitting.__enter__()
        limiter.jobs.on_transition(job("a", subject="other"))
        assert not submitting.__exit__(OSError, OSError(), None)
    assert (limiter.jobs.of("ci"), limiter.jobs.of("other")) == (Usage(), Usage(1, 10))
