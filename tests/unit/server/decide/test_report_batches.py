"""A report decided as a whole has the same result as its updates one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.contract.job_states import LEASED
from milepost.fold import Fold
from milepost.server import decide
from milepost.server.base.refusal import Refusal, job_ended
from milepost.server.messages.event_encoding import event_frame
from milepost.server.messages.payloads import payloads_of
from milepost.server.scheduling.steps import SLICE_STEPS
from milepost.v1 import (
    Artifact,
    ArtifactAdded,
    Event,
    Job,
    JobEnded,
    JobState,
    LogWritten,
    Severity,
    Stage,
    StageEnded,
    StageProgressed,
    StagesPlanned,
    StageStarted,
    StageState,
    SubmitJobRequest,
    Update,
)

NOW = 1_700_000_000_123_456_789
BATCH = 1 << 16
STAGES = [
    Stage(stage_id="a", total=10, weight=3),
    Stage(stage_id="b"),
    Stage(stage_id="b1", parent_stage_id="b", total=4),
    Stage(stage_id="b2", parent_stage_id="b", weight=0),
]

# Mostly the same stage, which progresses in small steps, so that updates build on each other.
stage_ids = st.sampled_from(["a", "a", "a", "a", "a", "b", "b1", "b2", "late", "nowhere", ""])
totals = st.sampled_from([4.0, 20.0, 1000.0])
steps = st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0])
amounts = st.sampled_from(
    [0.0, 0.5, 1.0, 3.0, 9.99, 10.0, 11.0, 1e-320, 1e300, -1.0, float("nan"), float("inf")]
)
# Around the lengths at which a message, or an update with it, has a longer head.
texts = st.one_of(
    st.sampled_from(["", "x", "é" * 40, "m" * 1021, "m" * 1022, "m" * 4096, "m" * 4097]),
    st.integers(100, 130).map(lambda size: "m" * size),
)


@st.composite
def progress(draw: st.DrawFn) -> Update:
    """Progress, mostly plain."""
    fields: dict[str, Any] = {"stage_id": draw(stage_ids), "message": draw(texts)}
    fields["current"] = draw(steps if draw(st.integers(0, 4)) else amounts)
    if draw(st.integers(0, 4)) == 0:
        fields["total"] = draw(totals if draw(st.booleans()) else amounts)
    if draw(st.integers(0, 9)) == 0:
        fields[draw(st.sampled_from(["fraction", "job_fraction"]))] = draw(amounts)
    if draw(st.integers(0, 9)) == 0:
        fields["unit"] = draw(texts)
    return Update(stage_progressed=StageProgressed(**fields))


plain_progress = st.builds(
    lambda current, message: Update(
        stage_progressed=StageProgressed(stage_id="a", current=current, message=message)
    ),
    steps,
    texts,
)
"""Progress of one stage that is nearly always plain."""


@st.composite
def line(draw: st.DrawFn) -> Update:
    """A log line."""
    written = LogWritten(stage_id=draw(stage_ids), text=draw(texts))
    written.severity = draw(st.sampled_from(Severity.values()))
    if draw(st.integers(0, 4)) == 0:
        written.fields["n"] = draw(amounts)
    return Update(log_written=written)


others = st.sampled_from(
    [
        Update(),
        Update(stage_started=StageStarted(stage=Stage(stage_id="late", total=5))),
        Update(stage_started=StageStarted(stage=Stage(stage_id="b1"))),
        Update(stage_started=StageStarted(stage=Stage(stage_id="b2", total=1))),
        Update(stage_ended=StageEnded(stage_id="a", state=StageState.STAGE_STATE_SUCCEEDED)),
        Update(stage_ended=StageEnded(stage_id="b1", state=StageState.STAGE_STATE_SKIPPED)),
        Update(stages_planned=StagesPlanned(stages=[Stage(stage_id="late", total=5), Stage(stage_id="z")])),
        Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED)),
    ]
)
reports = st.lists(st.one_of(progress(), progress(), progress(), line(), others), max_size=40)
short_reports = st.one_of(
    st.lists(st.one_of(progress(), progress(), line()), min_size=1, max_size=5),
    st.lists(plain_progress | line(), min_size=1, max_size=10),
    st.lists(others, min_size=1, max_size=1),
)


def running() -> Fold:
    """A job with nested stages, two of which run."""
    fold = Fold()
    fold.apply(decide.submit(SubmitJobRequest(kind="k", stages=STAGES), "job", NOW))
    fold.apply(decide.start(fold.job, "w", NOW))
    for stage_id in ("a", "b"):
        fold.apply(
            decide.report(fold, Update(stage_started=StageStarted(stage=Stage(stage_id=stage_id))), NOW)
        )
    return fold


def batches_of(
    fold: Fold,
    updates: Sequence[Update],
    *,
    size: int = 0,
    updates_size: int | None = None,
    slice_steps: float = math.inf,
) -> list[decide.ReportBatch]:
    """The batches of a report, without the pauses between them."""
    steps = decide.report_batches(
        fold,
        updates,
        1,
        NOW,
        size=size,
        batch_bytes=BATCH,
        over=job_ended,
        updates_size=updates_size,
        slice_steps=slice_steps,
    )
    return [batch for batch in steps if batch is not None]


def one_by_one(fold: Fold, updates: Sequence[Update], size: int) -> tuple[list[Event], list[tuple[int, str]]]:
    """Decide the updates one by one: the events, and the refusals by number."""
    room = decide.SizeBudget(size, sum(update.ByteSize() + 80 for update in updates))
    events: list[Event] = []
    refused: list[tuple[int, str]] = []
    for number, update in enumerate(updates, 1):
        try:
            if fold.job.state not in LEASED:
                raise job_ended(fold.job)
            event = decide.report(fold, update, NOW)
            room.fit(fold, event)
        except Refusal as refusal:
            refused.append((number, str(refusal)))
            continue
        fold.apply(event)
        events.append(event)
    return events, refused


@settings(deadline=None, max_examples=300)
@given(reports, st.sampled_from([0, 1_572_864 - 20_000]), st.booleans(), st.sampled_from([1, 30, math.inf]))
def test_a_report_is_its_updates_one_by_one(
    updates: list[Update], size: int, is_measured: bool, slice_steps: float
) -> None:
    """The same events byte for byte, the same refusals, the same job, also if little room is left or it is sliced."""
    updates_size = sum(update.ByteSize() for update in updates) if is_measured else None
    expected_fold, fold = running(), running()
    first = fold.job.last_sequence + 1
    events, refused = one_by_one(expected_fold, updates, size)
    batches = batches_of(fold, updates, size=size, updates_size=updates_size, slice_steps=slice_steps)

    assert b"".join(batch.events.frames for batch in batches) == b"".join(map(event_frame, events))
    assert [(r.report_sequence, str(r.refusal)) for b in batches for r in b.rejections] == refused
    assert fold.job.SerializeToString(deterministic=True) == expected_fold.job.SerializeToString(
        deterministic=True
    )
    last = batches[-1]
    assert (batches[0].events.first, last.events.last) == (first, first + len(events) - 1)
    assert last.report_sequence == len(updates)
    assert Job.FromString(last.events.job) == fold.job
    masks = 0
    for batch in batches:
        masks |= batch.events.payloads
    assert masks == payloads_of(events)


@settings(deadline=None, max_examples=300)
@given(st.lists(short_reports, max_size=20), st.sampled_from([0, 1_572_864 - 20_000]))
def test_plain_reports_are_decided_alike(sent: list[list[Update]], size: int) -> None:
    """The same events byte for byte and the same job after each, whatever comes between two of them."""
    expected_fold, fold = running(), running()
    plain_reports = decide.PlainReports(fold, "token")
    for updates in sent:
        events, _ = one_by_one(expected_fold, updates, size)
        before = fold.job.SerializeToString(deterministic=True)
        if not plain_reports.is_current(fold, "token"):
            plain_reports = decide.PlainReports(fold, "token")
        batch = plain_reports.decide(updates, NOW, size)
        if batch is None:
            assert fold.job.SerializeToString(deterministic=True) == before
            (batch,) = [made.events for made in batches_of(fold, updates, size=size)]

        assert (batch.frames, batch.payloads) == (b"".join(map(event_frame, events)), payloads_of(events))
        assert (batch.first, batch.last) == (fold.job.last_sequence - len(events) + 1, fold.job.last_sequence)
        assert Job.FromString(batch.job) == fold.job
        assert fold.job.SerializeToString(deterministic=True) == expected_fold.job.SerializeToString(
            deterministic=True
        )


def test_plain_updates_are_decided_at_once() -> None:
    """Progress of one stage and lines, one a report or several; what plans, starts or ends something is not plain."""
    fold = running()
    plain_reports = decide.PlainReports(fold, "token")
    progress, line, further = [
        Update(stage_progressed=StageProgressed(stage_id="a", current=1)),
        Update(log_written=LogWritten(text="x", severity=Severity.SEVERITY_INFO)),
        Update(stage_progressed=StageProgressed(stage_id="a", current=2, message="x")),
    ]
    end = Update(stage_ended=StageEnded(stage_id="a", state=StageState.STAGE_STATE_SUCCEEDED))
    reports = [[progress], [line], [further], [line, further, line, line, further], [further, end], [end]]

    assert [plain_reports.decide(updates, NOW, 0) is not None for updates in reports] == [
        True,
        True,
        True,
        True,
        False,
        False,
    ]


def test_only_a_short_report_is_decided_at_once() -> None:
    """Its events are one commit, and it holds up nobody; one of whatever size if it has a single update."""
    update = Update(log_written=LogWritten(text="x"))
    sizes = [(1, None), (1, 1 << 20), (2, 8192), (2, 8193), (2, None), (100, 8192), (101, 8192), (0, 0)]

    assert [(count, size) for count, size in sizes if decide.is_short([update] * count, size)] == [
        (1, None),
        (1, 1 << 20),
        (2, 8192),
        (100, 8192),
    ]


@pytest.mark.parametrize("last", [126, (1 << 14) - 2, (1 << 21) - 2, (1 << 28) - 2, (1 << 35) - 2])
def test_events_are_numbered_however_long_the_log_is(last: int) -> None:
    """The same bytes as protobuf's, on both sides of where a number takes one byte more."""
    expected_fold, fold = running(), running()
    fold.job.last_sequence = expected_fold.job.last_sequence = last
    updates = [
        Update(stage_progressed=StageProgressed(stage_id="a", current=current)) for current in (1, 2, 3)
    ]
    events, _ = one_by_one(expected_fold, updates, 0)
    (batch,) = batches_of(fold, updates)

    assert batch.events.frames == b"".join(map(event_frame, events))


def test_a_large_report_comes_in_batches() -> None:
    """Each within its bound, with the job after it, and the number of its last update."""
    fold = running()
    lines = [Update(log_written=LogWritten(text="x" * 16_000)) for _ in range(10)]
    numbers, sequences = [], []
    for batch in batches_of(fold, lines):
        numbers.append(batch.report_sequence)
        sequences.append(Job.FromString(batch.events.job).last_sequence)
        assert len(batch.events.frames) <= BATCH
    assert numbers == [4, 8, 10]
    assert sequences == [number + 4 for number in numbers]


def chain(depth: int) -> Fold:
    """A job with stages each within the other, all of which run and have a total."""
    stages = [
        Stage(stage_id=f"s{number}", parent_stage_id=f"s{number - 1}" if number else "", total=1000)
        for number in range(depth)
    ]
    fold = Fold()
    fold.apply(decide.submit(SubmitJobRequest(kind="k", stages=stages), "job", NOW))
    fold.apply(decide.start(fold.job, "w", NOW))
    for stage in stages:
        fold.apply(decide.report(fold, Update(stage_started=StageStarted(stage=stage)), NOW))
    return fold


def moves(*stage_numbers: int) -> list[Update]:
    """Progress of stages in this order, each further than the one before."""
    return [
        Update(stage_progressed=StageProgressed(stage_id=f"s{number}", current=current))
        for current, number in enumerate(stage_numbers, 1)
    ]


LONG_REPORTS: dict[str, tuple[Callable[[], Fold], list[Update]]] = {
    "deep, one stage": (lambda: chain(1000), moves(*[999] * 100)),
    "deep, two stages": (lambda: chain(1000), moves(*[998, 999] * 50)),
    "ends from inside": (
        lambda: chain(300),
        [
            Update(stage_ended=StageEnded(stage_id=f"s{number}", state=StageState.STAGE_STATE_SUCCEEDED))
            for number in reversed(range(300))
        ],
    ),
    "plans": (
        running,
        [Update(stages_planned=StagesPlanned(stages=[Stage(stage_id=f"{n}") for n in range(990)]))] * 10,
    ),
    "artifacts": (
        running,
        [
            Update(artifact_added=ArtifactAdded(artifact=Artifact(name=f"{number}", uri="u")))
            for number in range(500)
        ],
    ),
    "large lines": (running, [Update(log_written=LogWritten(text="x" * 60_000))] * 60),
}


@pytest.mark.parametrize("name", LONG_REPORTS)
def test_a_long_report_pauses_within_its_bound(name: str) -> None:
    """Others may go first after a thousand steps and one update, however the work comes about."""
    start, updates = LONG_REPORTS[name]
    fold = start()
    largest, before = 0, fold.steps
    pauses = 0
    steps = decide.report_batches(
        fold, updates, 1, NOW, size=0, batch_bytes=BATCH, over=job_ended, slice_steps=SLICE_STEPS
    )
    for batch in steps:
        if batch is None:
            largest, before = max(largest, fold.steps - before), fold.steps
            pauses += 1
    # Of a plan of a thousand stages: to look at those there are, to check it, to fold it in.
    costliest = 9 * 1000

    assert largest <= SLICE_STEPS + costliest
    assert pauses >= 4


def test_stages_that_a_report_adds_weigh_what_they_took_before() -> None:
    """Those of a plan, and one that is declared when it starts; a plan's weights are learned between two pauses."""
    plan = [Stage(stage_id=f"{number}") for number in range(900)]
    seconds = {"0": 1.0, "1": 3.0, "late": 6.0}
    updates = [
        *[Update(stages_planned=StagesPlanned(stages=plan))] * 3,
        Update(stage_started=StageStarted(stage=Stage(stage_id="1"))),
        Update(stage_started=StageStarted(stage=Stage(stage_id="late"))),
    ]
    fold = running()
    steps = decide.report_batches(
        fold,
        updates,
        1,
        NOW,
        size=0,
        batch_bytes=BATCH,
        over=job_ended,
        slice_steps=SLICE_STEPS,
        learned=seconds,
    )
    pauses = sum(batch is None for batch in steps)
    weights = {stage_id: fold.stages[stage_id].weight for stage_id in seconds}
    assert weights == {"0": 0.5, "1": 1.5, "late": 3.0}
    assert pauses >= 3


def test_a_report_may_plan_so_many_stages() -> None:
    """A plan beyond that is refused by itself; what it costs does not depend on whether it changes anything."""
    plan = Update(stages_planned=StagesPlanned(stages=[Stage(stage_id=f"{n}") for n in range(990)]))
    batches = batches_of(running(), [plan] * 22)

    refused = [(r.report_sequence, str(r.refusal.violations[0].field)) for b in batches for r in b.rejections]
    assert refused == [(21, "stages_planned.stages"), (22, "stages_planned.stages")]
