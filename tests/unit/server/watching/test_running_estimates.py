"""Which estimates of running jobs a watch of many jobs has not sent yet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from milepost.server.base.clock import SystemClock
from milepost.server.log.event_log import JobPage, Query
from milepost.server.messages.timestamps import SECOND, timestamp
from milepost.server.watching.running_estimates import AttemptEstimate, PublishedEstimates, RunningEstimates
from milepost.v1 import Estimate
from tests.support.rotating import until


def estimate(left: int, made: int) -> Estimate:
    """So many seconds are left, as of so many."""
    found = Estimate(as_of=timestamp(made * SECOND))
    found.remaining_p50.seconds = found.remaining_p90.seconds = left
    return found


def test_a_watch_gets_what_changed_since_it_last_asked() -> None:
    """By more than clients see by counting down from what was published, however slowly that comes about."""
    published = PublishedEstimates()
    published.update({"a": AttemptEstimate(1, estimate(100, 0)), "b": AttemptEstimate(1, None)}, 0)
    first = published.since(0)
    version = published.version
    published.update({"a": AttemptEstimate(1, estimate(94, 10))}, 10 * SECOND)
    unchanged = published.since(version)
    published.update({"a": AttemptEstimate(1, estimate(88, 20))}, 20 * SECOND)
    drifted = published.since(version)

    assert [(each.job_id, each.estimate.remaining_p50.seconds) for each in first] == [("a", 100)]
    assert unchanged == []
    assert [(each.job_id, each.estimate.remaining_p50.seconds) for each in drifted] == [("a", 88)]
    assert [each.job_id for each in published.since(0)] == ["a"]


def test_another_attempt_has_another_estimate() -> None:
    """Clients drop an estimate with its attempt, so it is sent again although it is the same."""
    published = PublishedEstimates()
    published.update({"a": AttemptEstimate(1, estimate(100, 0))}, 0)
    version = published.version
    published.update({"a": AttemptEstimate(2, estimate(100, 0))}, 0)

    assert [each.job_id for each in published.since(version)] == ["a"]


def test_an_attempt_without_evidence_has_no_estimate() -> None:
    """Not even that of the attempt before it, for a watch that comes later."""
    published = PublishedEstimates()
    published.update({"a": AttemptEstimate(1, estimate(100, 0))}, 0)
    published.update({"a": AttemptEstimate(2, None)}, 0)

    assert published.since(0) == []


def test_an_estimate_that_has_gone_is_told() -> None:
    """As one without a value; once."""
    published = PublishedEstimates()
    published.update({"a": AttemptEstimate(1, estimate(100, 0))}, 0)
    version = published.version
    published.update({"a": AttemptEstimate(1, None)}, 0)
    gone = published.since(version)
    version = published.version
    published.update({"a": AttemptEstimate(1, None)}, 0)

    assert [(each.job_id, each.HasField("estimate")) for each in gone] == [("a", False)]
    assert published.since(version) == []


class _Criteria:
    """Of all jobs."""

    states: Sequence[int] = ()

    def query(self) -> Query:
        """See ``JobCriteria``."""
        return Query()


class _Feed:
    """What is looked at of a feed."""

    def __init__(self) -> None:
        self.criteria = _Criteria()


class _Log:
    """A log without jobs, whose queries are answered one by one."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, asyncio.Future[JobPage]]] = []

    async def query(self, query: Query, *, caller: str) -> JobPage:
        """See ``EventLog``."""
        answer: asyncio.Future[JobPage] = asyncio.get_running_loop().create_future()
        self.asked.append((caller, answer))
        return await answer


async def test_a_caller_has_one_filter_looked_at_at_a_time() -> None:
    """Others wait neither with their own filters, nor where a watch of that caller is about to look at theirs."""
    log = _Log()
    estimates = RunningEstimates(cast("Any", log), SystemClock(), cast("Any", None))
    first, shared, other = (cast("Any", _Feed()) for _ in range(3))
    looks = [
        asyncio.create_task(estimates.of(feed, caller))
        for feed, caller in ((first, "a"), (shared, "a"), (other, "b"), (shared, "b"))
    ]
    for _ in range(5):
        await asyncio.sleep(0)
    assert [caller for caller, _ in log.asked] == ["a", "b"]
    assert [look.done() for look in looks] == [False, False, False, True]
    for look in looks:
        look.cancel()
    await asyncio.gather(*looks, return_exceptions=True)
    again = asyncio.create_task(estimates.of(shared, "b"))
    await until(lambda: len(log.asked) == 3)
    again.cancel()
