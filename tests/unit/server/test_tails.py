"""The newest frames of a job, and what they take."""

from __future__ import annotations

from milepost.server.log.event_log import Commit, Facts
from milepost.server.log.frames import Chunk
from milepost.server.watching.memory import Memory
from milepost.server.watching.tails import Tail, Wish
from milepost.v1 import JobState

RUNNING = JobState.JOB_STATE_RUNNING


def commit(first: int, frames: bytes) -> Commit:
    """Of one event, or of none where there are no frames."""
    return Commit(
        facts=Facts("job", "", "kind", "", {}),
        chunk=Chunk(first, first if frames else first - 1, frames),
        job=b"",
        state_before=RUNNING,
        state=RUNNING,
        fraction_before=0.0,
        fraction=0.0,
        report_sequence=0,
        time=0,
        turns=False,
        ends=False,
        payloads=0,
    )


def test_commits_without_events_do_not_hide_what_is_kept() -> None:
    """All that a tail keeps counts against the bound, also after one that keeps nothing was let go of."""
    memory = Memory(10)
    tail = Tail(memory)
    for pushed in (commit(1, b""), commit(1, b"six.b1"), commit(2, b""), commit(2, b"six.b2")):
        tail.push(pushed)

    assert 6 == memory.used
    assert (None, 2) == (tail.batch(Wish(0, 0, None)), getattr(tail.batch(Wish(1, 0, None)), "last", None))
