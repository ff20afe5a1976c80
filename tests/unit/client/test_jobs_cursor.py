"""A watch of many jobs accepts everything once, and misses nothing, over any number of streams (rule 2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from milepost.client._watch import deduplicator
from milepost.client._watch.jobs_cursor import ESTIMATES_LIMIT, Gap, Item, JobsCursor
from milepost.client.errors import EpochChanged, JobNotFound, ProtocolError, SequenceTrimmed
from milepost.contract.limits import STATUS_INTERVAL
from milepost.v1 import (
    CaughtUp,
    Deleted,
    Estimate,
    Event,
    Events,
    Job,
    JobEstimate,
    JobFilter,
    JobState,
    Opened,
    Snapshot,
    Status,
    Trimmed,
    WatchJobsResponse,
)

Short = tuple[str, int] | str


def opened(cursor: int = 0, *, dropped: int = 0, head: int = 0, epoch: str = "e1") -> WatchJobsResponse:
    """An `opened` frame."""
    return WatchJobsResponse(
        opened=Opened(epoch=epoch, first_sequence=dropped + 1, head_sequence=head, cursor=cursor)
    )


def events(position: int, *of: tuple[str, int]) -> WatchJobsResponse:
    """Events, given as job and sequence."""
    batch = [Event(job_id=job_id, sequence=sequence) for job_id, sequence in of]
    return WatchJobsResponse(events=Events(events=batch, position=position))


def snapshot(job_id: str, sequence: int, position: int = 0, *, epoch: str = "e1.1") -> WatchJobsResponse:
    """A snapshot of a job."""
    job = Job(job_id=job_id, last_sequence=sequence, epoch=epoch)
    return WatchJobsResponse(snapshot=Snapshot(job=job, position=position))


def deleted(job_id: str, position: int) -> WatchJobsResponse:
    """A `deleted` frame."""
    return WatchJobsResponse(deleted=Deleted(job_id=job_id, position=position))


def trimmed(job_id: str, position: int) -> WatchJobsResponse:
    """A `trimmed` frame."""
    return WatchJobsResponse(trimmed=Trimmed(job_id=job_id, first_sequence=2, position=position))


def caught_up(position: int) -> WatchJobsResponse:
    """A `caught_up` frame."""
    return WatchJobsResponse(caught_up=CaughtUp(sequence=position))


def status(position: int) -> WatchJobsResponse:
    """A status."""
    return WatchJobsResponse(status=Status(cursor=position, head_sequence=position))


def short(items: Iterable[Item]) -> list[Short]:
    """Items in a short form: an event as job and sequence, a job as ``name=sequence``."""
    results: list[Short] = []
    for item in items:
        match item:
            case Event():
                results.append((item.job_id, item.sequence))
            case Job():
                results.append(f"{item.job_id}={item.last_sequence}")
            case Deleted():
                results.append(f"-{item.job_id}")
            case Trimmed():
                results.append(f"<{item.job_id}")
            case Gap():
                results.append("gap")
    return results


def taken(cursor: JobsCursor, *frames: WatchJobsResponse) -> list[Short]:
    """The items of a new stream's frames."""
    cursor.request()
    return more(cursor, *frames)


def more(cursor: JobsCursor, *frames: WatchJobsResponse) -> list[Short]:
    """The items of further frames of the same stream."""
    items: Sequence[Item] = [item for frame in frames for item in cursor.accept(frame)]
    return short(items)


def start_of(cursor: JobsCursor) -> tuple[str | None, int, str]:
    """The start in the request of a new stream."""
    request = cursor.request()
    return request.WhichOneof("start"), request.after_position, request.epoch


def test_a_stream_continues_after_the_position() -> None:
    """The position of all frames that have one."""
    cursor = JobsCursor(JobFilter(kinds=["k"]))
    assert start_of(cursor) == (None, 0, "")
    assert taken(cursor, opened(), events(3, ("a", 1), ("b", 1), ("a", 2))) == [("a", 1), ("b", 1), ("a", 2)]
    assert start_of(cursor) == ("after_position", 3, "e1")
    assert taken(cursor, opened(3), trimmed("a", 5), deleted("b", 6)) == ["<a", "-b"]
    assert start_of(cursor) == ("after_position", 6, "e1")
    assert taken(cursor, opened(6, head=9), status(9)) == []
    assert start_of(cursor) == ("after_position", 9, "e1")
    assert [field.name for field, _ in cursor.request().filter.ListFields()] == ["kinds"]


def test_the_beginning_is_no_position() -> None:
    """Rule 1: 0 and unset mean all stored events."""
    assert start_of(JobsCursor(JobFilter(), after=0)) == start_of(JobsCursor(JobFilter())) == (None, 0, "")


def test_drops_after_an_empty_store_are_noticed() -> None:
    """From 0 a server sends all stored events; a cursor that had caught up with an empty store notices the gap."""
    cursor = JobsCursor(JobFilter(), on_gap="snapshot")
    assert taken(cursor, opened(head=0), caught_up(0)) == []
    assert start_of(cursor) == ("after_position", 0, "e1")
    assert taken(cursor, opened(head=4)) == []
    with pytest.raises(SequenceTrimmed) as caught:
        taken(cursor, opened(head=9, dropped=5))
    assert (caught.value.requested, caught.value.first, caught.value.head) == (0, 6, 9)
    assert short(cursor.recover(caught.value) or ()) == ["gap"]


def test_snapshots_to_start_with_are_asked_for_again() -> None:
    """If a stream breaks among them; a job with the same last event is not yielded again."""
    cursor = JobsCursor(JobFilter(), start="snapshot")
    assert taken(cursor, opened(9), snapshot("a", 3), snapshot("b", 1)) == ["a=3", "b=1"]
    assert cursor.position is None
    assert start_of(cursor) == ("from_snapshot", 0, "e1")
    again = taken(cursor, opened(12), snapshot("a", 3), snapshot("b", 2), snapshot("c", 1), caught_up(12))
    assert again == ["b=2", "c=1"]
    assert start_of(cursor) == ("after_position", 12, "e1")
    assert cursor.missing == []


def test_a_snapshot_is_ahead_of_the_stream() -> None:
    """The server skips events that a snapshot includes, but only within one stream."""
    cursor = JobsCursor(JobFilter(), start="snapshot")
    assert taken(cursor, opened(9), snapshot("a", 3), events(10, ("b", 1))) == ["a=3", ("b", 1)]
    assert taken(cursor, opened(10), events(14, ("a", 3), ("b", 2), ("a", 4))) == [("b", 2), ("a", 4)]
    assert more(cursor, snapshot("j", 7, 15)) == ["j=7"]
    assert taken(cursor, opened(15), events(20, ("j", 6), ("j", 7), ("j", 8))) == [("j", 8)]
    assert more(cursor, snapshot("j", 9, 21), snapshot("j", 9, 22)) == ["j=9"]


def test_a_snapshot_may_be_ahead_of_the_head() -> None:
    """It may include later commits, whose events are not yielded again."""
    cursor = JobsCursor(JobFilter(), start="snapshot")
    assert taken(cursor, opened(9), snapshot("a", 4), caught_up(9)) == ["a=4"]
    assert more(cursor, events(10, ("a", 3)), events(11, ("b", 1)), events(12, ("a", 4))) == [("b", 1)]
    assert more(cursor, events(13, ("a", 5))) == [("a", 5)]


def test_jobs_that_vanish_between_two_lists_are_looked_up() -> None:
    """Otherwise their deletion, or that they match no more, would be missed."""
    cursor = JobsCursor(JobFilter(), start="snapshot")
    assert taken(cursor, opened(9), *(snapshot(job_id, 1) for job_id in "abc")) == ["a=1", "b=1", "c=1"]
    assert taken(cursor, opened(12), snapshot("b", 1), caught_up(12)) == []
    assert cursor.missing == ["a", "c"]
    assert short(cursor.accept_missing("a", None)) == ["-a"]
    assert short(cursor.accept_missing("c", Job(job_id="c", last_sequence=2))) == ["c=2"]
    assert cursor.missing == []


def test_an_id_may_be_taken_again() -> None:
    """A later job with the id of a deleted one is another job."""
    cursor = JobsCursor(JobFilter(), start="snapshot")
    assert taken(cursor, opened(9), snapshot("a", 3)) == ["a=3"]
    assert taken(cursor, opened(12), snapshot("a", 3, epoch="e1.5"), caught_up(12)) == ["a=3"]
    assert more(cursor, deleted("a", 13), events(14, ("a", 1))) == ["-a", ("a", 1)]


def test_all_that_is_kept_can_only_be_read_from_its_beginning() -> None:
    """Up to the last drop there is no position to resume at; still nothing is yielded twice."""
    cursor = JobsCursor(JobFilter())
    assert taken(cursor, opened(dropped=50), events(10, ("a", 1)), deleted("x", 20)) == [("a", 1), "-x"]
    assert cursor.position is None
    assert start_of(cursor) == (None, 0, "e1")
    again = taken(
        cursor, opened(dropped=60), events(12, ("a", 1), ("a", 2)), deleted("x", 20), trimmed("a", 30)
    )
    assert again == [("a", 2), "<a"]
    assert more(cursor, events(60, ("b", 1))) == [("b", 1)]
    assert start_of(cursor) == ("after_position", 60, "e1")
    assert taken(cursor, opened(60), events(61, ("a", 3))) == [("a", 3)]


def test_a_gap_is_raised_or_gone_over() -> None:
    """As requested; then everything comes again, also what was yielded before."""
    gap = SequenceTrimmed(metadata={"requested": "1"})
    assert JobsCursor(JobFilter(), after=1).recover(gap) is None
    cursor = JobsCursor(JobFilter(), start="snapshot", on_gap="snapshot")
    assert cursor.recover(JobNotFound()) is None
    assert taken(cursor, opened(9), snapshot("a", 1), caught_up(9)) == ["a=1"]
    assert list(cursor.recover(gap) or ()) == [Gap(gap)]
    assert not cursor.caught_up
    assert start_of(cursor) == ("from_snapshot", 0, "")
    assert taken(cursor, opened(5, epoch="e2"), snapshot("a", 1), caught_up(5)) == ["a=1"]
    assert start_of(cursor) == ("after_position", 5, "e2")


def test_trimming_while_jobs_are_listed_is_no_gap() -> None:
    """The next list is up to date."""
    cursor = JobsCursor(JobFilter(), start="snapshot")
    assert taken(cursor, opened(9), snapshot("a", 1)) == ["a=1"]
    assert cursor.recover(SequenceTrimmed()) == ()
    assert taken(cursor, opened(9), snapshot("a", 1), snapshot("b", 1), caught_up(9)) == ["b=1"]


def test_trimming_before_the_first_of_what_is_kept_is_no_gap() -> None:
    """All stored events were requested, and the next stream begins with those stored by then."""
    cursor = JobsCursor(JobFilter())
    assert taken(cursor, opened(head=9)) == []
    assert cursor.recover(SequenceTrimmed()) == ()
    assert taken(cursor, opened(dropped=4, head=9), events(3, ("a", 3))) == [("a", 3)]
    assert cursor.recover(SequenceTrimmed()) == ()
    assert taken(cursor, opened(dropped=5, head=9), events(6, ("b", 1))) == [("b", 1)]
    assert cursor.recover(SequenceTrimmed()) is None


@pytest.mark.parametrize("on_gap", ["raise", "snapshot"])
def test_a_store_replaced_while_jobs_are_listed_is_a_gap(on_gap: str) -> None:
    """The jobs of the first list are of another store."""
    cursor = JobsCursor(JobFilter(), start="snapshot", on_gap="raise" if on_gap == "raise" else "snapshot")
    assert taken(cursor, opened(9), snapshot("a", 1)) == ["a=1"]
    if on_gap == "raise":
        with pytest.raises(EpochChanged):
            taken(cursor, opened(3, epoch="e2"))
    else:
        assert taken(cursor, opened(3, epoch="e2"), snapshot("a", 1), caught_up(3)) == ["gap", "a=1"]


def test_memory_of_the_cursor_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest entries are dropped first; and all of them when a stream is idle."""
    monkeypatch.setattr(deduplicator, "_GENERATION_SIZE", 10)
    cursor = JobsCursor(JobFilter(), start="latest")
    taken(cursor, opened(0))
    more(cursor, *(snapshot(f"j{number}", 5, number) for number in range(1, 101)))
    assert more(cursor, snapshot("j100", 5, 100), snapshot("j91", 5, 100)) == []
    assert more(cursor, snapshot("j1", 5, 100)) == ["j1=5"]
    more(cursor, status(200), status(201))
    assert more(cursor, snapshot("j100", 5, 202)) == ["j100=5"]


def running(job_id: str, start: int, estimate: Estimate | None = None) -> Job:
    """A job that runs since ``start``."""
    return Job(
        job_id=job_id,
        state=JobState.JOB_STATE_RUNNING,
        start_time=Timestamp(seconds=start),
        estimate=estimate,
    )


def estimates(of: dict[str, Estimate | None]) -> WatchJobsResponse:
    """A status with these."""
    said = [JobEstimate(job_id=job_id, estimate=estimate) for job_id, estimate in of.items()]
    return WatchJobsResponse(status=Status(cursor=1, head_sequence=1, job_estimates=said))


def test_estimates_of_statuses_go_before_those_of_jobs() -> None:
    """Until the attempt or the job ends, or the server has none any more; a later snapshot has its own."""
    first, second = (Estimate(as_of=Timestamp(seconds=at), sample_size=at) for at in (5, 7))
    cursor = JobsCursor(JobFilter(), start="latest")
    taken(cursor, opened(0), estimates({"a": second, "b": None}))
    ended = Job(job_id="a", state=JobState.JOB_STATE_SUCCEEDED)

    assert cursor.estimate_of(running("a", 1, first)) == second
    assert cursor.estimate_of(running("b", 1, first)) is None
    assert cursor.estimate_of(running("c", 1, first)) == first
    assert [cursor.estimate_of(job) for job in (running("a", 8), ended, running("c", 1))] == [None] * 3
    more(cursor, snapshot("a", 5, 2))
    assert cursor.estimate_of(running("a", 1, first)) == first
    # A state that is known is not yielded again; its estimate may be new.
    known = snapshot("a", 5, 3)
    known.snapshot.job.estimate.CopyFrom(second)
    assert more(cursor, known) == []
    assert cursor.estimate_of(running("a", 1, first)) == second


def test_a_cursor_keeps_the_latest_estimates() -> None:
    """Of so many jobs at most; those of deleted jobs go at once."""
    estimate = Estimate(as_of=Timestamp(seconds=5))
    cursor = JobsCursor(JobFilter(), start="latest")
    taken(cursor, opened(0), estimates({f"j{number}": estimate for number in range(ESTIMATES_LIMIT)}))
    more(cursor, estimates({"j0": estimate, "new": estimate}), deleted("j2", 2))

    kept = [cursor.estimate_of(running(name, 1)) for name in ("j0", "new", "j1", "j2", "j3")]
    assert kept == [estimate, estimate, None, None, estimate]


@pytest.mark.parametrize(
    "frames",
    [
        [events(1, ("a", 1))],
        [opened(3)],
        [opened(), events(5, ("a", 1)), events(4, ("a", 2))],
    ],
    ids=["not opened", "elsewhere", "backwards"],
)
def test_a_server_that_breaks_the_contract_is_found_out(frames: list[WatchJobsResponse]) -> None:
    """Its frame is not yielded."""
    with pytest.raises(ProtocolError):
        taken(JobsCursor(JobFilter()), *frames)


def test_when_a_stream_that_ends_well_is_complete() -> None:
    """Never if it follows; otherwise at the head."""
    following, replaying = JobsCursor(JobFilter()), JobsCursor(JobFilter(), follow=False)
    for cursor in (following, replaying):
        taken(cursor, opened(), caught_up(0))
    assert (following.complete, replaying.complete) == (False, True)
    assert (following.request().no_follow, replaying.request().no_follow) == (False, True)
    assert following.request(finite=True).no_follow


def test_who_asks_at_intervals_asks_for_statuses() -> None:
    """Streams that end at the head in place of one that goes on have a status only if they ask for it."""
    following, replaying = JobsCursor(JobFilter()), JobsCursor(JobFilter(), follow=False)
    requests = following.request(), following.request(finite=True), replaying.request()

    assert [request.HasField("status_interval") for request in requests] == [False, True, False]
    assert requests[1].status_interval.ToTimedelta().total_seconds() == STATUS_INTERVAL
