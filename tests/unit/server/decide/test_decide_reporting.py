"""The updates that a worker may report, and their events."""

from __future__ import annotations

from typing import Any

import pytest

from milepost.contract import limits
from milepost.contract.reasons import reason_name
from milepost.fold import Fold
from milepost.server import decide
from milepost.server.base.refusal import Refusal
from milepost.v1 import (
    Artifact,
    ArtifactAdded,
    Event,
    Failure,
    JobEnded,
    JobState,
    Stage,
    StageEnded,
    StageProgressed,
    StagesPlanned,
    StageStarted,
    StageState,
    SubmitJobRequest,
    Update,
)
from tests.support.bad_updates import BEFORE, UPDATES, BadUpdate
from tests.unit.server.states import NOW, apply, run


def say(state: Fold, update: Update) -> Event:
    """Decide the update, and fold its event in."""
    event = decide.report(state, update, NOW)
    apply(state, [event])
    return event


def running(*stages: Stage) -> Fold:
    """A running job with these stages."""
    return run(SubmitJobRequest(kind="k", stages=stages))


def start(stage_id: str, **fields: Any) -> Update:
    """A stage that starts."""
    return Update(stage_started=StageStarted(stage=Stage(stage_id=stage_id, **fields)))


def progress(stage_id: str, current: float, **fields: Any) -> Update:
    """Progress of a stage."""
    return Update(stage_progressed=StageProgressed(stage_id=stage_id, current=current, **fields))


def end(stage_id: str, state: StageState.ValueType = StageState.STAGE_STATE_SUCCEEDED) -> Update:
    """A stage that ends."""
    return Update(stage_ended=StageEnded(stage_id=stage_id, state=state))


@pytest.mark.parametrize("bad", UPDATES.values(), ids=UPDATES)
def test_an_update_out_of_its_bounds_is_refused(bad: BadUpdate) -> None:
    """The refusal names only the invalid field and the reason; nothing is appended."""
    state = running()
    for update in BEFORE:
        say(state, update)
    before = state.job.SerializeToString()

    with pytest.raises(Refusal) as caught:
        decide.report(state, bad.message, NOW)
    (violation,) = caught.value.violations
    assert (bad.field, bad.reason) == (violation.field, reason_name(caught.value.reason))
    assert before == state.job.SerializeToString()


def test_an_event_follows_the_one_before_it() -> None:
    """It has the job, the next sequence, the instant and the attempt."""
    event = decide.report(running(), start("s"), NOW + 1)

    assert (event.job_id, event.sequence, event.attempt, event.time.ToNanoseconds()) == ("j", 3, 1, NOW + 1)


def test_what_the_server_authors_is_ignored_from_a_worker() -> None:
    """Rule 13: a worker does not set states, fractions and times."""
    state = running(Stage(stage_id="s"))
    said = start(
        "s", state=StageState.STAGE_STATE_SUCCEEDED, fraction=0.9, current=5.0, total=10.0, message="m"
    )
    stage = say(state, said).stage_started.stage
    assert stage == Stage(stage_id="s", state=StageState.STAGE_STATE_RUNNING, total=10.0, message="m")

    result = say(state, progress("s", 2.0, fraction=0.9, job_fraction=0.9)).stage_progressed
    assert (result.fraction, result.job_fraction) == (0.2, 0.2)

    ended = end("s")
    ended.stage_ended.job_fraction = 0.1
    assert say(state, ended).stage_ended.job_fraction == 1.0

    plan = Update(stages_planned=StagesPlanned(stages=[Stage(stage_id="t", fraction=0.5, message="m")]))
    assert list(say(state, plan).stages_planned.stages) == [
        Stage(stage_id="t", state=StageState.STAGE_STATE_PENDING)
    ]


def test_progress_keeps_the_total_of_earlier_progress() -> None:
    """Unset leaves the total; each event has the current one, so that it supersedes those before it."""
    state = running()
    say(state, start("s", total=4.0))

    assert [
        say(state, update).stage_progressed.total
        for update in (progress("s", 1.0), progress("s", 2.0, total=8.0), progress("s", 4.0))
    ] == [4.0, 8.0, 8.0]
    say(state, start("t"))
    assert not say(state, progress("t", 1.0)).stage_progressed.HasField("total")


def test_fractions_never_fall() -> None:
    """Rule 13: even if a worker reports less, or a larger total; and they never exceed 1."""
    state = running(Stage(stage_id="s"))
    say(state, start("s", total=10.0))
    results = [
        say(state, update).stage_progressed
        for update in (
            progress("s", 5.0),
            progress("s", 2.0),
            progress("s", 5.0, total=100.0),
            progress("s", 1e9),
        )
    ]

    assert [event.fraction for event in results] == [0.5, 0.5, 0.5, 1.0]
    assert [event.job_fraction for event in results] == [0.5, 0.5, 0.5, 1.0]
    assert [event.current for event in results] == [5.0, 2.0, 5.0, 1e9]


def test_extreme_numbers_are_accepted() -> None:
    """They are accepted, and fractions stay within 0 and 1."""
    state = running(Stage(stage_id="a", weight=1e30), Stage(stage_id="b", weight=1e30))
    say(state, start("a", total=5e-324))
    result = say(state, progress("a", 1e30)).stage_progressed
    assert (result.fraction, 0 <= result.job_fraction <= 1) == (1.0, True)

    say(state, start("b", total=0.0))
    result = say(state, progress("b", 3.0)).stage_progressed
    assert (result.fraction, 0 <= result.job_fraction <= 1) == (0.0, True)


def test_a_stage_counts_by_its_weight() -> None:
    """A stage counts in its parent, and that in the job; skipped stages count as done."""
    state = running(
        Stage(stage_id="a", weight=3),
        Stage(stage_id="a/1", parent_stage_id="a"),
        Stage(stage_id="a/2", parent_stage_id="a"),
        Stage(stage_id="b"),
    )
    for stage in ("a", "a/1"):
        say(state, start(stage))

    assert say(state, end("a/1")).stage_ended.job_fraction == 0.375
    assert say(state, end("b", StageState.STAGE_STATE_SKIPPED)).stage_ended.job_fraction == 0.625
    assert say(state, end("a")).stage_ended.job_fraction == 1.0


def test_a_planned_stage_starts_where_it_was_planned() -> None:
    """Its parent may be omitted; other fields replace the planned ones."""
    state = running(Stage(stage_id="a"), Stage(stage_id="a/1", parent_stage_id="a", title="One", total=3))
    event = say(state, start("a/1", total=5))

    assert (event.stage_started.stage.parent_stage_id, event.stage_started.stage.total) == ("a", 5.0)
    assert state.stages["a/1"].title == "One"


def test_a_job_has_a_thousand_stages_and_no_more() -> None:
    """Planned or declared on start."""
    state = running(*(Stage(stage_id=f"s{number}") for number in range(limits.STAGES)))

    with pytest.raises(Refusal, match="already"):
        decide.report(state, start("another"), NOW)
    say(state, start("s0"))


def test_a_job_has_a_thousand_artifacts_and_no_more() -> None:
    """An artifact replaces one of the same name, and is then always accepted."""
    state = running()
    for number in range(limits.ARTIFACTS):
        state.job.artifacts.add(name=f"a{number}", uri="file:///a")

    def added(name: str) -> Update:
        return Update(artifact_added=ArtifactAdded(artifact=Artifact(name=name, uri="file:///b")))

    with pytest.raises(Refusal) as caught:
        decide.report(state, added("another"), NOW)
    assert reason_name(caught.value.reason) == "TOO_LARGE"
    say(state, added("a7"))


def test_an_end_is_reported_as_it_was() -> None:
    """A result if it SUCCEEDED, a failure if it FAILED, and nothing else."""
    both = JobEnded(message="m", failure=Failure(code="X"))
    both.result.update({"x": 1})

    for state, result, failure in (
        (JobState.JOB_STATE_SUCCEEDED, True, False),
        (JobState.JOB_STATE_FAILED, False, True),
    ):
        both.state = state
        event = decide.report(running(), Update(job_ended=both), NOW)
        result_found = event.job_ended
        assert (state, "m", result, failure) == (
            result_found.state,
            result_found.message,
            result_found.HasField("result"),
            result_found.HasField("failure"),
        )


def test_who_forced_an_end_is_not_the_workers_to_say() -> None:
    """An end reported by the worker is never forced."""
    state = running()
    apply(state, decide.cancel(state.job, reason="", requested_by="", grace_period=10**12, now=NOW))
    result = JobEnded(state=JobState.JOB_STATE_CANCELLED, forced=True)

    assert not decide.report(state, Update(job_ended=result), NOW).job_ended.forced
