"""Properties of every log that the server can author, for any reports of workers."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from milepost.contract.job_states import has_ended
from milepost.fold import Fold, fold, job_fraction_after
from milepost.v1 import Event, Job, StageState
from tests.contract.logs import logs, unhurried


@unhurried
@given(logs())
def test_fractions_never_fall_within_an_attempt(log: list[Event]) -> None:
    """Neither the job's fraction nor a stage's falls, for any plans and reports (rule 13)."""
    before: dict[str, float] = {}
    for job in _jobs(log):
        fractions = {"": job.fraction, **{stage.stage_id: stage.fraction for stage in job.stages}}
        if job.last_sequence > 1 and log[job.last_sequence - 1].HasField("job_started"):
            before = {}
        assert all(0 <= fraction <= 1 for fraction in fractions.values())
        assert [name for name, old in before.items() if fractions.get(name, 1.0) < old] == []
        before = fractions


@unhurried
@given(logs(), st.data())
def test_serialising_midway_does_not_affect_the_fold(log: list[Event], data: st.DataObject) -> None:
    """Serializing and parsing a job does not affect the fold."""
    cut = data.draw(st.integers(0, len(log)))

    half = Job.FromString(fold(log[:cut]).SerializeToString())

    assert fold(log) == fold(log[cut:], half)


@unhurried
@given(logs())
def test_incremental_fractions_equal_recomputed_ones(log: list[Event]) -> None:
    """The server's incremental fractions are bitwise equal to newly computed ones."""
    for before, event in zip([Job(), *map(_copy, _jobs(log))], log, strict=False):
        fresh = Fold(before)
        match event.WhichOneof("payload"):
            case "stage_progressed":
                stage = fresh.stages[event.stage_progressed.stage_id]
                expected = job_fraction_after(fresh, stage, event.stage_progressed.fraction)
                assert event.stage_progressed.job_fraction == expected
            case "stage_ended":
                stage = fresh.stages[event.stage_ended.stage_id]
                full = event.stage_ended.state in (
                    StageState.STAGE_STATE_SUCCEEDED,
                    StageState.STAGE_STATE_SKIPPED,
                )
                expected = job_fraction_after(fresh, stage, 1.0 if full else stage.fraction)
                assert event.stage_ended.job_fraction == expected


@unhurried
@given(logs())
def test_every_stage_has_its_ancestors(log: list[Event]) -> None:
    """Each stage has its parents, up to an outermost one, so that it counts."""
    for job in _jobs(log):
        parents = {stage.stage_id: stage.parent_stage_id for stage in job.stages}
        for name in parents:
            chain = [name]
            while parents[chain[-1]]:
                chain.append(parents[chain[-1]])
                assert len(chain) <= len(parents)


@unhurried
@given(logs())
def test_stages_end_with_their_job(log: list[Event]) -> None:
    """The stages of a job end with it (rule 13)."""
    job = fold(log)
    still_open = {StageState.STAGE_STATE_PENDING, StageState.STAGE_STATE_RUNNING}

    assert not has_ended(job) or not still_open & {stage.state for stage in job.stages}


def _copy(job: Job) -> Job:
    return Job.FromString(job.SerializeToString())


def _jobs(log: list[Event]) -> Iterator[Job]:
    """The job after each event."""
    state = Fold()
    for event in log:
        state.apply(event)
        yield state.job
