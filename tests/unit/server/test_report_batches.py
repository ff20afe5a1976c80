"""A report that is decided as a whole comes to what its updates come to one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.contract.job_states import LEASED
from milepost.fold import Fold
from milepost.server import decide
from milepost.server.base.event_encoding import event_frame
from milepost.server.base.payloads import payloads_of
from milepost.server.base.refusal import Refusal, job_ended
from milepost.server.decide.event_batch import EventBatch
from milepost.v1 import (
    Event,
    Events,
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

# Mostly the same stage, which moves on little by little, so that one update stands on those before it.
stage_ids = st.sampled_from(["a", "a", "a", "a", "a", "b", "b1", "b2", "late", "nowhere", ""])
totals = st.sampled_from([4.0, 20.0, 1000.0])
steps = st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0])
amounts = st.sampled_from(
    [0.0, 0.5, 1.0, 3.0, 9.99, 10.0, 11.0, 1e-320, 1e300, -1.0, float("nan"), float("inf")]
)
texts = st.sampled_from(["", "x", "é" * 40, "m" * 4096, "m" * 4097])


@st.composite
def progress(draw: st.DrawFn) -> Update:
    """Progress, plain in most cases."""
    fields: dict[str, Any] = {"stage_id": draw(stage_ids), "message": draw(texts)}
    fields["current"] = draw(steps if draw(st.integers(0, 4)) else amounts)
    if draw(st.integers(0, 4)) == 0:
        fields["total"] = draw(totals if draw(st.booleans()) else amounts)
    if draw(st.integers(0, 9)) == 0:
        fields[draw(st.sampled_from(["fraction", "job_fraction"]))] = draw(amounts)
    if draw(st.integers(0, 9)) == 0:
        fields["unit"] = draw(texts)
    return Update(stage_progressed=StageProgressed(**fields))


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


def running() -> Fold:
    """A job with stages within a stage, two of which run."""
    fold = Fold()
    fold.apply(decide.submit(SubmitJobRequest(kind="k", stages=STAGES), "job", NOW))
    fold.apply(decide.start(fold.job, "w", NOW))
    for stage_id in ("a", "b"):
        fold.apply(
            decide.report(fold, Update(stage_started=StageStarted(stage=Stage(stage_id=stage_id))), NOW)
        )
    return fold


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
@given(reports, st.sampled_from([0, 1_572_864 - 20_000]))
def test_a_report_is_its_updates_one_by_one(updates: list[Update], size: int) -> None:
    """The same events byte for byte, the same refusals, the same job; where the job has little room left, too."""
    expected_fold, fold = running(), running()
    first = fold.job.last_sequence + 1
    events, refused = one_by_one(expected_fold, updates, size)
    batches = list(decide.report_batches(fold, updates, 1, NOW, size=size, batch_bytes=BATCH, over=job_ended))

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


def test_a_large_report_comes_in_batches() -> None:
    """Each within its bound, with the job as it is after it, and the number of its last update."""
    fold = running()
    lines = [Update(log_written=LogWritten(text="x" * 16_000)) for _ in range(10)]
    numbers, sequences = [], []
    for batch in decide.report_batches(fold, lines, 1, NOW, size=0, batch_bytes=BATCH, over=job_ended):
        numbers.append(batch.report_sequence)
        sequences.append(Job.FromString(batch.events.job).last_sequence)
        assert len(batch.events.frames) <= BATCH
    assert numbers == [4, 8, 10]
    assert sequences == [number + 4 for number in numbers]


def test_a_batch_of_events_folds_them_in() -> None:
    """What the journal appends is what the fold says, the input of a new job apart."""
    fold = Fold()
    request = SubmitJobRequest(kind="k", stages=STAGES)
    request.input["x"] = 1
    event = decide.submit(request, "job", NOW)
    batch = EventBatch.apply(fold, [event], NOW)

    assert Events.FromString(batch.frames).events[0].job_submitted.job.input["x"] == 1
    assert batch.submission == event
    assert not Job.FromString(batch.job).HasField("input")
    assert (batch.first, batch.last, batch.state) == (1, 1, JobState.JOB_STATE_QUEUED)
