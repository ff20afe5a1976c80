"""A watch accepts every event once and in order, over any number of streams (rule 2)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from milepost.client._watch.event_selection import EventSelection
from milepost.client._watch.job_cursor import JobCursor
from milepost.client.errors import EpochChanged, JobNotFound, ProtocolError, SequenceTrimmed, ServiceError
from milepost.v1 import (
    AttemptEnded,
    CancelRequested,
    CaughtUp,
    Estimate,
    Event,
    Events,
    Job,
    JobEnded,
    JobStarted,
    JobState,
    Opened,
    Snapshot,
    Status,
    WatchJobRequest,
    WatchJobResponse,
)


def opened(cursor: int, head: int = 0, epoch: str = "e1") -> WatchJobResponse:
    """An `opened` frame."""
    return WatchJobResponse(opened=Opened(epoch=epoch, first_sequence=1, head_sequence=head, cursor=cursor))


def events(sequences: Iterable[int], *, end: bool = False) -> WatchJobResponse:
    """Events of these sequences; with `end` the last one ends the job."""
    batch = [Event(job_id="j", sequence=sequence) for sequence in sequences]
    if end:
        batch[-1].job_ended.CopyFrom(JobEnded(state=JobState.JOB_STATE_SUCCEEDED))
    return WatchJobResponse(events=Events(events=batch))


def caught_up(sequence: int) -> WatchJobResponse:
    """A `caught_up` frame."""
    return WatchJobResponse(caught_up=CaughtUp(sequence=sequence))


def taken(cursor: JobCursor, *frames: WatchJobResponse) -> list[int]:
    """The sequences of the accepted events."""
    return [event.sequence for frame in frames for event in cursor.accept(frame) if isinstance(event, Event)]


def test_events_come_once_over_several_streams() -> None:
    """A new stream is requested after the last accepted event, with its epoch."""
    cursor = JobCursor("j")
    assert cursor.request() == WatchJobRequest(job_id="j", after_sequence=0)
    assert taken(cursor, opened(0, 9), events([1, 2]), events([3])) == [1, 2, 3]
    assert cursor.request() == WatchJobRequest(job_id="j", after_sequence=3, epoch="e1")
    assert taken(cursor, opened(3, 9), events([4, 5], end=True)) == [4, 5]
    assert (cursor.sequence, cursor.head, cursor.ended) == (5, 9, True)


def test_a_cursor_is_exclusive() -> None:
    """A cursor is exclusive: the first event is the one after it (rule 1)."""
    cursor = JobCursor("j", after=41, epoch="e1", follow=False, status_interval=2.5)
    request = cursor.request()
    assert (request.after_sequence, request.epoch, request.no_follow) == (41, "e1", True)
    assert request.status_interval.ToTimedelta().total_seconds() == 2.5
    assert taken(cursor, opened(41, 42), events([42])) == [42]


@pytest.mark.parametrize("sequences", [[2], [1, 3], [1, 1], [1, 2, 2], [0], [3, 2]])
def test_a_gap_or_a_repetition_is_never_passed_on(sequences: list[int]) -> None:
    """A missing or repeated event is a fault of the server, and raises an error."""
    cursor = JobCursor("j")
    cursor.request()
    cursor.accept(opened(0))
    with pytest.raises(ProtocolError):
        cursor.accept(events(sequences))


def test_a_thinned_log_has_gaps_up_to_a_sequence() -> None:
    """Superseded progress may be missing, up to the sequence in `opened`."""
    cursor = JobCursor("j")
    cursor.request()
    thinned = opened(0, 9)
    thinned.opened.thinned_sequence = 5
    assert taken(cursor, thinned, events([1, 3]), events([6, 7])) == [1, 3, 6, 7]
    for sequence in (7, 9):
        with pytest.raises(ProtocolError):
            cursor.accept(events([sequence]))


def test_a_stream_that_opens_elsewhere_is_refused() -> None:
    """A stream that starts after another sequence than requested would lose or repeat events."""
    cursor = JobCursor("j", after=4)
    cursor.request()
    with pytest.raises(ProtocolError, match="opened after 6, but the request was for 4"):
        cursor.accept(opened(6))


def test_a_stream_opens_first() -> None:
    """`opened` comes before all else, on every stream."""
    cursor = JobCursor("j")
    cursor.request()
    with pytest.raises(ProtocolError, match="began with events"):
        cursor.accept(events([1]))
    cursor.request()
    cursor.accept(opened(0))
    cursor.request()
    with pytest.raises(ProtocolError, match="began with events"):
        cursor.accept(events([1]))


def test_nothing_follows_the_end() -> None:
    """`job_ended` is the last event of a log (rule 6)."""
    cursor = JobCursor("j")
    cursor.request()
    taken(cursor, opened(0), events([1, 2], end=True))
    with pytest.raises(ProtocolError, match="Event 3 came after job_ended"):
        cursor.accept(events([3]))


def test_a_status_that_is_ahead_means_that_something_is_missing() -> None:
    """Without a filter the server has sent everything up to the status's cursor."""
    cursor = JobCursor("j")
    cursor.request()
    taken(cursor, opened(0), events([1, 2]))
    cursor.accept(WatchJobResponse(status=Status(cursor=2, head_sequence=7, fraction=0.25)))
    assert (cursor.head, cursor.fraction, cursor.estimate) == (7, 0.25, None)
    with pytest.raises(ProtocolError):
        cursor.accept(WatchJobResponse(status=Status(cursor=3)))


def test_an_estimate_is_kept_until_there_is_no_evidence_any_more() -> None:
    """No evidence, no estimate (rule 19)."""
    cursor = JobCursor("j")
    cursor.request()
    cursor.accept(opened(0))
    estimate = Estimate(sample_size=3)
    cursor.accept(WatchJobResponse(status=Status(estimate=estimate)))
    assert estimate == cursor.estimate
    cursor.accept(WatchJobResponse(status=Status()))
    assert cursor.estimate is None


@pytest.mark.parametrize(
    "change",
    [
        Event(sequence=1, job_started=JobStarted()),
        Event(sequence=1, attempt_ended=AttemptEnded()),
        Event(sequence=1, cancel_requested=CancelRequested()),
        Event(sequence=1, job_ended=JobEnded()),
    ],
)
def test_an_estimate_does_not_outlive_the_state_that_it_was_made_in(change: Event) -> None:
    """A job that waits, is being cancelled or has ended has none until a status says so."""
    cursor = JobCursor("j")
    cursor.request()
    cursor.accept(opened(0))
    cursor.accept(WatchJobResponse(status=Status(estimate=Estimate(sample_size=3))))
    cursor.accept(WatchJobResponse(events=Events(events=[change])))
    assert cursor.estimate is None


def test_a_snapshot_and_a_call_have_an_estimate() -> None:
    """Each replaces the one before, also by none."""
    cursor = JobCursor("j", start="snapshot")
    cursor.request()
    cursor.accept(opened(0))
    job = Job(job_id="j", last_sequence=1, estimate=Estimate(sample_size=3))
    cursor.accept(WatchJobResponse(snapshot=Snapshot(job=job)))
    assert cursor.estimate == Estimate(sample_size=3)
    cursor.accept_present(Job(estimate=Estimate(sample_size=4)), None)
    assert cursor.estimate == Estimate(sample_size=4)
    cursor.accept_present(Job(), None)
    assert cursor.estimate is None


def test_a_status_is_an_item_if_its_estimate_is_new() -> None:
    """So that who follows a job without events gets it; only where that was asked for."""
    first, second = (WatchJobResponse(status=Status(estimate=Estimate(sample_size=n))) for n in (3, 4))
    following, plain = JobCursor("j", new_estimates=True), JobCursor("j")
    for cursor in (following, plain):
        cursor.request()
        cursor.accept(opened(0))

    frames = [first, first, second, WatchJobResponse(status=Status()), WatchJobResponse(status=Status())]
    assert [len(following.accept(frame)) for frame in frames] == [1, 0, 1, 1, 0]
    assert [len(plain.accept(frame)) for frame in frames] == [0, 0, 0, 0, 0]


def test_unknown_frames_are_skipped() -> None:
    """Unknown frames of a newer server are ignored (rule 9)."""
    cursor = JobCursor("j")
    cursor.request()
    assert taken(
        cursor, opened(0), WatchJobResponse(), WatchJobResponse(snapshot=Snapshot()), events([1])
    ) == [1]


def test_when_a_stream_that_ends_well_is_complete() -> None:
    """Following, only `job_ended` completes a watch; otherwise reaching the head does, on that very stream (rule 6)."""
    following = JobCursor("j")
    following.request()
    taken(following, opened(0, 2), events([1, 2]), caught_up(2))
    assert (following.complete, following.reached_head, following.caught_up) == (False, True, True)
    following.request()
    assert (following.complete, following.reached_head, following.caught_up) == (False, False, True)
    taken(following, opened(2, 3), events([3], end=True))
    assert following.complete

    replaying = JobCursor("j", follow=False)
    replaying.request()
    taken(replaying, opened(0, 2), events([1]))
    assert not replaying.complete
    taken(replaying, events([2]), caught_up(2))
    assert replaying.complete
    replaying.request()
    assert not replaying.complete


def snapshot(sequence: int, state: JobState.ValueType = JobState.JOB_STATE_RUNNING) -> WatchJobResponse:
    """A snapshot of the job."""
    job = Job(job_id="j", last_sequence=sequence, state=state, epoch="e1")
    return WatchJobResponse(snapshot=Snapshot(job=job))


def test_it_may_start_with_a_snapshot() -> None:
    """The snapshot is requested until it has come; then the events after it."""
    cursor = JobCursor("j", start="snapshot")
    assert cursor.request() == WatchJobRequest(job_id="j", from_snapshot=True)
    assert taken(cursor, opened(7, 7)) == []
    assert cursor.request().WhichOneof("start") == "from_snapshot"
    assert taken(cursor, opened(8, 9)) == []
    assert [job.last_sequence for job in cursor.accept(snapshot(8)) if isinstance(job, Job)] == [8]
    assert taken(cursor, events([9])) == [9]
    assert cursor.request() == WatchJobRequest(job_id="j", after_sequence=9, epoch="e1")


def test_a_snapshot_of_a_job_that_has_ended_is_the_end() -> None:
    """Nothing follows it (rule 6)."""
    cursor = JobCursor("j", start="snapshot")
    cursor.request()
    cursor.accept(opened(8))
    cursor.accept(snapshot(8, JobState.JOB_STATE_FAILED))
    assert cursor.ended
    assert cursor.complete


def test_it_may_start_at_the_head() -> None:
    """From the first opened stream; the next one continues there."""
    cursor = JobCursor("j", start="latest")
    assert cursor.request() == WatchJobRequest(job_id="j", from_latest=True)
    assert taken(cursor, opened(7, 7)) == []
    assert cursor.request() == WatchJobRequest(job_id="j", after_sequence=7, epoch="e1")


@pytest.mark.parametrize("error", [SequenceTrimmed(), EpochChanged()])
def test_a_gap_is_raised_or_gone_over(error: ServiceError) -> None:
    """As requested: the next stream starts with a snapshot, of any epoch."""
    assert JobCursor("j", after=3).recover(error) is None
    cursor = JobCursor("j", after=3, epoch="e0", on_gap="snapshot")
    assert cursor.recover(JobNotFound()) is None
    assert cursor.recover(error) == ()
    assert cursor.request() == WatchJobRequest(job_id="j", from_snapshot=True)
    assert taken(cursor, opened(2, 2)) == []
    # Whoever keeps the cursor now, to resume later, has that of the epoch before.
    assert (cursor.sequence, cursor.epoch) == (3, "e0")
    assert len(cursor.accept(snapshot(2))) == 1
    assert (cursor.sequence, cursor.head, cursor.epoch) == (2, 2, "e1")


def test_filtered_events_advance_the_cursor() -> None:
    """A resumed stream skips it."""
    cursor = JobCursor("j", selection=EventSelection.of(["stage_ended"], [], False))
    assert list(cursor.request().filter.payloads) == ["job_ended", "stage_ended"]
    assert taken(cursor, opened(0, 9), events([3, 7]), caught_up(9)) == [3, 7]
    assert cursor.request().after_sequence == 9
    cursor.accept(opened(9, 9))
    cursor.accept(WatchJobResponse(status=Status(cursor=20, head_sequence=20)))
    assert cursor.request().after_sequence == 20
    with pytest.raises(ProtocolError):
        taken(cursor, opened(20), events([20]))


def test_the_end_is_known_where_it_is_hidden() -> None:
    """`job_ended` is always requested, and yielded only if the caller selected it."""
    cursor = JobCursor("j", selection=EventSelection.of(["log_written"], [], False))
    cursor.request()
    assert taken(cursor, opened(0), events([4, 9], end=True)) == [4]
    assert (cursor.ended, cursor.sequence) == (True, 9)
    shown = JobCursor("j", selection=EventSelection.of([], ["s"], True))
    assert list(shown.request().filter.payloads) == []
    assert taken(shown, opened(0), events([4, 9], end=True)) == [4, 9]


def test_a_head_that_is_ahead_of_the_events_means_that_something_is_missing() -> None:
    """Without a filter everything up to the head has been sent at `caught_up`."""
    cursor = JobCursor("j")
    cursor.request()
    with pytest.raises(ProtocolError):
        taken(cursor, opened(0, 9), events([1, 2]), caught_up(3))


def test_a_fetched_job_is_news_if_it_has_advanced() -> None:
    """Or if it is of another store."""
    cursor = JobCursor("j", on_gap="snapshot")
    assert len(cursor.accept_job(Job(last_sequence=3, epoch="e1"))) == 1
    assert len(cursor.accept_job(Job(last_sequence=3, epoch="e1"))) == 0
    assert len(cursor.accept_job(Job(last_sequence=4, epoch="e1"))) == 1
    assert len(cursor.accept_job(Job(last_sequence=2, epoch="e2"))) == 1
    assert cursor.request() == WatchJobRequest(job_id="j", after_sequence=2, epoch="e2")


def test_a_fetched_job_may_say_that_nothing_more_comes() -> None:
    """If it has ended, or if the watch does not follow; but not if it is of a node that has yet to read so far."""
    ended = JobCursor("j", after=3, epoch="e1", on_gap="snapshot")
    at_head = JobCursor("j", after=3, epoch="e1", on_gap="snapshot", follow=False)
    got: list[tuple[Job, ...]] = []
    has_last: list[bool] = []
    for sequence, state in (
        (2, JobState.JOB_STATE_RUNNING),
        (3, JobState.JOB_STATE_RUNNING),
        (3, JobState.JOB_STATE_SUCCEEDED),
    ):
        for cursor in (ended, at_head):
            got.append(tuple(cursor.accept_job(Job(last_sequence=sequence, epoch="e1", state=state))))
            has_last.append(cursor.has_last)

    assert got == [()] * 6
    assert has_last == [False, False, False, True, True, True]
