"""Frames: events as they stand in a response, split and filtered without serialising again."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from milepost.server.log.frames import (
    CHUNK_BYTES,
    Chunk,
    filter_frames,
    joined_chunks,
    latest_progress,
    watch_response,
    without_superseded,
)
from milepost.server.messages.event_encoding import event_frame as frame
from milepost.v1 import Event, Events, LogWritten, StageProgressed, WatchJobResponse, WatchJobsResponse

# Lengths around those where the size of a length changes, and between.
_texts = st.one_of(
    st.text(max_size=20),
    st.integers(100, 140).map("x".__mul__),
    st.integers(16_350, 16_390).map("ü".__mul__),
)
_payloads = st.one_of(
    st.builds(lambda text: {"log_written": LogWritten(text=text)}, _texts),
    st.builds(
        lambda stage, message: {"stage_progressed": StageProgressed(stage_id=stage, message=message)},
        st.sampled_from("abc"),
        _texts,
    ),
)
_firsts = st.sampled_from([1, 2, 127, 128, 2**31, 2**62])


@st.composite
def _logs(draw: st.DrawFn) -> list[Event]:
    """Consecutive events from some sequence on."""
    first = draw(_firsts)
    payloads = draw(st.lists(_payloads, min_size=1, max_size=8))
    return [
        Event(job_id="job", sequence=first + number, **payload) for number, payload in enumerate(payloads)
    ]


def written(events: list[Event]) -> bytes:
    """The frames of the events, encoded by protobuf."""
    return Events(events=events).SerializeToString()


def chunk(events: list[Event]) -> Chunk:
    """The events as a chunk."""
    return Chunk(events[0].sequence, events[-1].sequence, b"".join(map(frame, events)))


@given(_logs(), st.data())
def test_what_fits_into_so_many_bytes(events: list[Event], data: st.DataObject) -> None:
    """As many whole events as fit, and at least one; also in a thinned chunk."""
    whole = chunk(events)
    kept = data.draw(st.lists(st.sampled_from(events), unique_by=lambda event: event.sequence, min_size=1))
    shown = [event for event in events if event in kept]
    thinned = Chunk(whole.first, whole.last, written(shown))
    most = data.draw(st.integers(0, len(thinned.frames) + 1))
    fitting = thinned.first_bytes(most)
    count = max(1, *(n for n in range(len(shown) + 1) if len(written(shown[:n])) <= most))

    assert fitting.frames == written(shown[:count])
    last = whole.last if count == len(shown) else shown[count - 1].sequence
    assert (fitting.first, fitting.last) == (whole.first, last)


@given(_logs())
def test_frames_are_the_events_of_a_message(events: list[Event]) -> None:
    """Frames equal protobuf's encoding."""
    assert written(events) == chunk(events).frames


@given(_logs(), st.data())
def test_what_comes_after_a_cursor(events: list[Event], data: st.DataObject) -> None:
    """The cursor is exclusive."""
    cursor = data.draw(st.integers(max(0, events[0].sequence - 3), events[-1].sequence - 1))

    assert chunk([event for event in events if event.sequence > cursor]) == chunk(events).after(cursor)


@given(_logs(), st.data())
def test_the_first_so_many(events: list[Event], data: st.DataObject) -> None:
    """All of them if there are no more."""
    count = data.draw(st.integers(1, len(events) + 2))

    assert chunk(events[:count]) == chunk(events).first_events(count)


@given(_logs(), st.data())
def test_a_thinned_chunk_is_cut_where_its_events_are(events: list[Event], data: st.DataObject) -> None:
    """Events are missing; the bounds stay, and a cursor may be at a missing event."""
    kept = [event for event in events if data.draw(st.booleans())]
    thinned = Chunk(events[0].sequence, events[-1].sequence, written(kept))
    cursor = data.draw(st.integers(events[0].sequence, events[-1].sequence))
    count = data.draw(st.integers(1, len(events)))

    after, head = thinned.after(cursor), thinned.first_events(count)
    assert (written([event for event in kept if event.sequence > cursor]), events[-1].sequence) == (
        after.frames,
        after.last,
    )
    assert written(kept[:count]) == head.frames
    rest = thinned.after(head.last)
    assert written(kept) == head.frames + (rest.frames if head.last < thinned.last else b"")


@given(_logs(), st.data())
def test_the_newest_progress_overtakes(events: list[Event], data: st.DataObject) -> None:
    """Only the newest progress of each stage stays, unless newer one is known; all other events stay."""
    jobs = st.sampled_from(["job", "other"])
    for event in events:
        event.job_id = data.draw(jobs)
    overtaken = data.draw(st.sets(st.tuples(jobs, st.sampled_from("abc"))))
    newest = dict.fromkeys(overtaken, 0)
    for event in reversed(events):
        if event.HasField("stage_progressed"):
            newest.setdefault((event.job_id, event.stage_progressed.stage_id), event.sequence)
    expected = [
        event
        for event in events
        if not event.HasField("stage_progressed")
        or event.sequence == newest[event.job_id, event.stage_progressed.stage_id]
    ]

    assert written(expected) == without_superseded(chunk(events).frames, overtaken)
    assert set(newest) == overtaken


@given(_logs())
def test_the_latest_progress(events: list[Event]) -> None:
    """Of any stage, however many events of another kind follow it."""
    moves = [event for event in events if event.HasField("stage_progressed")]
    found = latest_progress(b"".join(map(frame, events)))
    assert found == (moves[-1] if moves else None)


@given(_logs(), st.integers(0, 20))
def test_events_are_chosen(events: list[Event], length: int) -> None:
    """By their content."""
    frames = filter_frames(chunk(events).frames, lambda event: len(event.log_written.text) >= length)

    assert written([event for event in events if len(event.log_written.text) >= length]) == frames


@given(st.lists(_logs(), max_size=3), st.sampled_from([0, 1, 127, 128, 2**62]))
def test_a_response_is_what_protobuf_would_write(logs: list[list[Event]], position: int) -> None:
    """Byte for byte, with any number of chunks; for one job and for many, except for the position."""
    frames = [chunk(log).frames for log in logs]
    expected = Events(events=[event for log in logs for event in log], position=position)

    response = watch_response(frames, position)
    if not expected.events:
        assert response == b""
        return
    assert WatchJobResponse(events=expected).SerializeToString() == response
    assert WatchJobsResponse.FromString(response) == WatchJobsResponse(events=expected)


@given(st.lists(_logs(), min_size=1, max_size=6), st.integers(0, 120_000))
def test_commits_of_a_page_are_joined(commits: list[list[Event]], max_bytes: int) -> None:
    """Into chunks that are as large as a batch may be, or one commit; as many commits as there were to be read."""
    first = 1
    for events in commits:
        for event in events:
            event.sequence = first
            first += 1
    chunks = [chunk(events) for events in commits]
    wanted = 1
    while wanted < len(chunks) and sum(len(each.frames) for each in chunks[:wanted]) < max_bytes:
        wanted += 1
    joined = joined_chunks(chunks, max_bytes)

    assert b"".join(each.frames for each in joined) == b"".join(each.frames for each in chunks[:wanted])
    assert [each.first for each in joined] == [1, *(each.last + 1 for each in joined[:-1])]
    assert joined[-1].last == chunks[wanted - 1].last
    starts = {each.first: len(each.frames) for each in chunks}
    for each, following in pairwise(joined):
        assert len(each.frames) + starts[following.first] > CHUNK_BYTES
    assert all(len(each.frames) <= CHUNK_BYTES or starts[each.first] == len(each.frames) for each in joined)
