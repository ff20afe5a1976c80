"""The cost of folding a stage's change in steps: its depth, independent of the number of stages."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from milepost.fold import Fold, job_fraction_after
from milepost.v1 import Event, Job, JobSubmitted, Stage, StageEnded, StageProgressed, StageStarted, StageState

STAGES = 1000


def submitted(stages: Sequence[Stage]) -> Fold:
    """A job with these stages planned."""
    fold = Fold()
    fold.apply(Event(sequence=1, job_submitted=JobSubmitted(job=Job(stages=stages))))
    return fold


def start(fold: Fold, stage: Stage) -> int:
    """Start a stage; return the number of steps."""
    return _apply(fold, Event(stage_started=StageStarted(stage=stage)))


def move(fold: Fold, stage_id: str, fraction: float) -> int:
    """Report progress of a stage, compute the job's fraction and fold both; return the number of steps."""
    before = fold.steps
    job_fraction = job_fraction_after(fold, fold.stages[stage_id], fraction)
    progressed = StageProgressed(stage_id=stage_id, fraction=fraction, job_fraction=job_fraction)
    return fold.steps - before + _apply(fold, Event(stage_progressed=progressed))


def _apply(fold: Fold, event: Event) -> int:
    before = fold.steps
    event.sequence = fold.job.last_sequence + 1
    fold.apply(event)
    return fold.steps - before


def test_an_update_does_not_visit_siblings() -> None:
    """Each of a thousand siblings starts, progresses and ends without visiting the others."""
    fold = submitted([Stage(stage_id=f"s{number}") for number in range(STAGES)])
    steps = 0
    for number in range(STAGES):
        stage_id = f"s{number}"
        steps += start(fold, Stage(stage_id=stage_id))
        steps += move(fold, stage_id, 0.5)
        ended = StageEnded(
            stage_id=stage_id,
            state=StageState.STAGE_STATE_SUCCEEDED,
            job_fraction=job_fraction_after(fold, fold.stages[stage_id], 1.0),
        )
        steps += _apply(fold, Event(stage_ended=ended))

    assert steps <= 8 * STAGES
    assert fold.job.fraction == 1.0


def test_unchanged_fractions_are_not_propagated_per_event() -> None:
    """Progress that changes no fraction is propagated once, not per event, through a thousand levels."""
    fold = submitted(_chain())
    start(fold, Stage(stage_id="s999"))
    first = move(fold, "s999", 0.0)
    steps = sum(move(fold, "s999", 0.0) for _ in range(STAGES))

    assert STAGES <= first <= 3 * STAGES
    assert steps <= 3 * STAGES


def test_a_changed_fraction_costs_two_steps_per_level() -> None:
    """A fraction that changes on all levels costs two steps per level: one to decide it, one to fold it."""
    fold = submitted(_chain())
    start(fold, Stage(stage_id="s999"))

    for number in range(1, 11):
        assert move(fold, "s999", number / 10) <= 2 * STAGES
        assert fold.job.fraction == number / 10


def test_a_zeroed_weight_takes_effect_with_the_next_progress() -> None:
    """A sibling whose weight becomes zero takes effect with the next progress, even an unchanged one."""
    fold = submitted(
        [
            Stage(stage_id="outer"),
            Stage(stage_id="inner", parent_stage_id="outer"),
            Stage(stage_id="leaf", parent_stage_id="inner"),
            Stage(stage_id="sibling", parent_stage_id="outer"),
        ]
    )
    start(fold, Stage(stage_id="leaf"))
    move(fold, "leaf", 0.5)
    assert (fold.stages["outer"].fraction, fold.job.fraction) == (0.25, 0.25)

    start(fold, Stage(stage_id="sibling", weight=0.0))
    move(fold, "leaf", 0.5)
    assert (fold.stages["outer"].fraction, fold.job.fraction) == (0.5, 0.5)


def test_declaring_a_chain_of_stages_propagates_once() -> None:
    """Stages declared as a chain: the unknown fraction is propagated to the job once."""
    fold = submitted([])

    assert sum(start(fold, stage) for stage in _chain()) <= 3 * STAGES
    assert not fold.job.fraction_known


@given(
    st.lists(st.tuples(st.floats(0, 1e30), st.floats(0, 1), st.booleans()), min_size=2, max_size=12).filter(
        lambda stages: any(weight for weight, _, _ in stages)
    ),
)
def test_sums_are_exact_and_rounded_once(stages: list[tuple[float, float, bool]]) -> None:
    """A stage's fraction is the quotient of two exact sums, independent of the order of stages and progress."""
    outer = Stage(stage_id="outer")
    inner = [
        Stage(stage_id=f"{number}", parent_stage_id="outer", weight=weight)
        for number, (weight, _, _) in enumerate(stages)
    ]
    fold = submitted([outer, *inner])
    for number, (_, fraction, in_two) in enumerate(stages):
        if in_two:
            move(fold, f"{number}", fraction / 3)
        move(fold, f"{number}", fraction)
    done = math.fsum(weight * fraction for weight, fraction, _ in stages)
    mean = done / math.fsum(weight for weight, _, _ in stages)

    assert fold.stages["outer"].fraction == min(mean, 1.0)
    assert fold.job.fraction == min(mean, 1.0)


def _chain() -> list[Stage]:
    return [
        Stage(stage_id=f"s{number}", parent_stage_id=f"s{number - 1}" if number else "")
        for number in range(STAGES)
    ]
