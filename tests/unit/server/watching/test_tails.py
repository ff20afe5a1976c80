"""Tails: the newest frames of a job, and their memory."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.server.log.event_log import Commit, EventPage, JobAttributes
from milepost.server.log.frames import Chunk
from milepost.server.messages.event_encoding import event_frame as frame
from milepost.server.watching.batches import BATCH_BYTES, Batch, BatchRequest
from milepost.server.watching.event_filters import FrameFilter
from milepost.server.watching.memory_budget import ENTRY_OVERHEAD, MemoryBudget
from milepost.server.watching.tails import Tail
from milepost.v1 import Event, Job, JobState, LogWritten, WatchJobResponse

RUNNING = JobState.JOB_STATE_RUNNING


def commit(first: int, frames: bytes) -> Commit:
    """A commit of one event, or of none without frames."""
    return Commit(
        attributes=JobAttributes("job", "", "kind", "", {}),
        chunk=Chunk(first, first if frames else first - 1, frames),
        job=b"",
        state_before=RUNNING,
        state=RUNNING,
        fraction_before=0.0,
        fraction=0.0,
        report_sequence=0,
        time=0,
        is_transition=False,
        ends=False,
        payloads=0,
    )


def test_commits_without_events_do_not_hide_what_is_kept() -> None:
    """All frames of a tail count, also after the eviction of a commit without frames."""
    memory = MemoryBudget(10 + 2 * ENTRY_OVERHEAD)
    tail = Tail(memory)
    for pushed in (commit(1, b""), commit(1, b"six.b1"), commit(2, b""), commit(2, b"six.b2")):
        tail.push(pushed)

    assert memory.used == 6 + 2 * ENTRY_OVERHEAD
    assert (
        tail.batch(BatchRequest(0, 0, None)),
        getattr(tail.batch(BatchRequest(1, 0, None)), "last", None),
    ) == (None, 2)


def written(first: int, *texts: str) -> Commit:
    """A commit of log lines from this sequence on."""
    events = [
        Event(job_id="job", sequence=first + number, log_written=LogWritten(text=text))
        for number, text in enumerate(texts)
    ]
    made = commit(first, b"x")
    return made._replace(chunk=Chunk(first, first + len(texts) - 1, b"".join(map(frame, events))))


def sequences(batch: Batch) -> list[int]:
    """The events of a batch."""
    return [event.sequence for event in WatchJobResponse.FromString(batch.response).events.events]


def test_a_tail_that_is_cut_within_a_commit_has_no_gap() -> None:
    """Rule 2: a cursor within an evicted commit reads the log, and skips nothing."""
    commits = [written(1, "1", "2", "3"), written(4, "4", "5", "6"), written(7, "7", "8")]
    tail = Tail(MemoryBudget(1 << 20))
    for pushed in commits:
        tail.push(pushed)
    for first_kept in (1, 4, 7, 9):
        for cursor in range(8):
            batch = tail.batch(BatchRequest(cursor, 0, None))
            kept = None if cursor < first_kept - 1 or first_kept == 9 else list(range(cursor + 1, 9))
            assert (None if batch is None else sequences(batch)) == kept
        while tail.evict() and tail.since == first_kept - 1:
            pass  # its batches are evicted first


@pytest.mark.parametrize("size", [100, 5000, 13_000, 20_000, 60_000])
@pytest.mark.parametrize("together", [1, 3, 30])
@pytest.mark.parametrize("most_events", [0, 7])
def test_a_batch_is_bounded_in_bytes(size: int, together: int, most_events: int) -> None:
    """It has at least one event; a commit may come in several batches, each event once."""
    tail = Tail(MemoryBudget(1 << 30))
    for first in range(1, 121, together):
        tail.push(written(first, *["x" * size] * together))
    cursor = 0
    shown: list[int] = []
    while cursor < 120:
        batch = tail.batch(BatchRequest(cursor, most_events, None))
        assert batch is not None
        assert batch.last > cursor
        assert len(batch.response) < max(BATCH_BYTES, size) + 100
        shown += sequences(batch)
        cursor = batch.last
    assert shown == list(range(1, 121))


def test_batches_count_against_the_bound_of_memory() -> None:
    """A batch is as large as its frames, and there may be one for each kind of request."""
    memory = MemoryBudget(1 << 20)
    tail = Tail(memory)
    tail.watchers = 2
    tail.push(written(1, "x" * 1000))
    before = memory.used
    batches = [tail.batch(BatchRequest(0, most, None)) for most in range(40)]
    assert all(batch is not None and len(batch.response) > 1000 for batch in batches)
    kept = memory.used - before
    assert 1000 < kept < 17 * (1100 + ENTRY_OVERHEAD)
    tail.push(written(2, "y"))
    assert memory.used < before + 100 + ENTRY_OVERHEAD


@given(
    st.integers(0, 5),
    st.integers(1, 5),
    st.integers(0, 2),
    st.sampled_from([None, FrameFilter(frozenset({"log_written"}))]),
    st.sampled_from([0, 100, BATCH_BYTES]),
)
def test_the_newest_commit_is_sent_as_any_other(
    cursor: int, first: int, max_events: int, frame_filter: FrameFilter | None, size: int
) -> None:
    """The batch of a single chunk that its subscriber has waited for is that of all chunks, or left to that."""
    lines = [
        Event(job_id="j", sequence=sequence, log_written=LogWritten(text="x" * size))
        for sequence in (first, first + 1)
    ]
    chunk = Chunk(first, first + 1, b"".join(map(frame, lines)))
    request = BatchRequest(min(cursor, first - 1), max_events, frame_filter)
    batch = request.batch_of_one(chunk)

    assert batch in (None, request.batch([chunk]))
    is_plain = request.cursor == first - 1 and not max_events and frame_filter is None and size < BATCH_BYTES
    assert (batch is not None) == is_plain


def test_a_read_from_before_a_thinning_that_comes_after_it() -> None:
    """A stream looks at the tail after its own read, to see whether that lacks progress: another read may be older."""
    tail = Tail(MemoryBudget(1 << 20))
    before = EventPage(chunks=[], first=1, thinned=0, head=5, job=Job(job_id="job"))
    for page in (before, replace(before, thinned=4), before):
        tail.observe(page)

    assert tail.thinned == 4
