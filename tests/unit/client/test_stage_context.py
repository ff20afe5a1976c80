"""The reports of a stage."""

from __future__ import annotations

import asyncio

import pytest

from milepost.client import Cancelled, JobContext, JobFailure
from milepost.client._worker.reporter import Reporter
from milepost.v1 import (
    Failure,
)
from tests.unit.client.stages import ended, progressed, said, started


def test_a_stage_starts_when_entered_and_succeeds_when_left(job: JobContext, reporter: Reporter) -> None:
    """With all given fields."""
    with job.stage("hash", total=10, unit="bytes", title="Hashing", weight=3, parent="all"):
        pass
    start = started("hash", total=10.0, unit="bytes", title="Hashing", weight=3.0, parent_stage_id="all")
    assert [start, ended("hash", "SUCCEEDED")] == said(reporter)


def test_update_sets_what_is_given(job: JobContext, reporter: Reporter) -> None:
    """Values that are not given stay; a total and a message are reported once."""
    with job.stage("s", total=5) as stage:
        stage.update(2, total=20, message="half of it")
        assert [started("s", total=5.0), progressed("s", 2.0, 20.0, "half of it")] == said(reporter, 1.0)
        stage.update(message="half of it")
        stage.advance(3)
        assert [progressed("s", 5.0)] == said(reporter, 2.0)
        assert (stage.current, stage.total) == (5.0, 20.0)


def test_an_exception_fails_the_stage_and_goes_on(job: JobContext, reporter: Reporter) -> None:
    """Each stage that an exception leaves fails; the innermost first."""
    with pytest.raises(JobFailure), job.stage("outer") as outer, outer.stage("inner"):
        raise JobFailure("NO_DISK", "The disk is gone.", retryable=True)
    failure = Failure(code="NO_DISK", message="The disk is gone.", retryable=True)
    assert [
        started("outer"),
        started("inner", parent_stage_id="outer"),
        ended("inner", "FAILED", failure=failure),
        ended("outer", "FAILED", failure=failure),
    ] == said(reporter)


@pytest.mark.parametrize("cancellation", [asyncio.CancelledError, Cancelled])
async def test_a_cancellation_cancels_the_stage(
    job: JobContext, reporter: Reporter, cancellation: type[BaseException]
) -> None:
    """Both that of asyncio and `Cancelled`."""
    with pytest.raises(cancellation):
        async with job.stage("s"):
            raise cancellation
    assert [started("s"), ended("s", "CANCELLED")] == said(reporter)


def test_a_skipped_stage_stays_skipped(job: JobContext, reporter: Reporter) -> None:
    """Later updates of the stage are ignored."""
    with job.stage("s") as stage:
        stage.skip("nothing to do")
        stage.advance()
    assert [started("s"), ended("s", "SKIPPED", "nothing to do")] == said(reporter)
    with pytest.raises(RuntimeError, match="can be entered only once"):
        stage.__enter__()


def test_a_stage_starts_by_itself(job: JobContext, reporter: Reporter) -> None:
    """Progress of a stage that was not entered starts it."""
    job.stage("s").advance(2)
    assert [started("s"), progressed("s", 2.0)] == said(reporter)


def test_a_stage_needs_a_name(job: JobContext) -> None:
    """Stage ids are checked when they are given."""
    with pytest.raises(ValueError, match=r"cannot be called .*: the id of a stage is 1 to 128 "):
        job.stage("no spaces")


def test_there_are_at_most_a_thousand_stages(job: JobContext) -> None:
    """The handler gets an error at the contract's bound, rather than a refusal by the server later."""
    for number in range(1000):
        job.stage(f"s{number}")
    job.stage("s5")
    with pytest.raises(ValueError, match="at most 1000 stages"):
        job.stage("one-more")
