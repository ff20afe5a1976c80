"""A validator for each guarantee, named as etcd's (https://etcd.io/docs/v3.5/learning/api_guarantees/)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import grpc

from milepost.v1 import Event, Job, WatchJobsResponse
from tests.support.validators.history import Commit, EventView, History, Key, key
from tests.support.validators.recording import Frame, Recording, Stream, bookmark

__all__ = ["VALIDATORS", "Violation", "check", "failing", "missing"]

Validator = Callable[[Recording, History, EventView], None]


class Violation(AssertionError):
    """A guarantee was broken."""


class _Received:
    """The events received in a stream so far, by themselves or folded into a snapshot."""

    def __init__(self, stream: Stream, history: History, view: EventView) -> None:
        self._stream = stream
        self._history = history
        self._view = view
        self._shown: set[Key] = set()
        self.covered: dict[str, int] = {}

    def add(self, frame: Frame) -> None:
        """Add a frame."""
        self._shown.update(key(event) for event in frame.events.events)
        if frame.HasField("snapshot"):
            self.covered[frame.snapshot.job.job_id] = frame.snapshot.job.last_sequence

    def lacks(self, commit: Commit, upto: int) -> list[Event]:
        """The events of a commit that a stream at the cursor ``upto`` should have sent, and has not."""
        if not self._view.commits(commit):
            return []
        return [
            event
            for event in commit.events
            if self._view.events(event)
            and key(event) not in self._shown
            and event.sequence > self.covered.get(event.job_id, 0)
            and not (self._stream.of_what_is_kept and key(event) in self._history.dropped)
            and not (self._view.latest and self._history.is_superseded(event, upto))
            and not (self._is_thinned(event) and self._history.is_superseded(event))
        ]

    def _is_thinned(self, event: Event) -> bool:
        if _is_of_many(self._stream):
            return event.job_id in self._history.thinned
        return event.sequence <= self._stream.opened.thinned_sequence


def ordered(recording: Recording, history: History, view: EventView) -> None:
    """Frames and events come in the order of the log: `opened` first, `caught_up` once, nothing after the end."""
    for stream in _opened(recording):
        names = [frame.WhichOneof("frame") for frame in stream.frames]
        _hold(
            names[0] == "opened" and names.count("opened") == 1, "opened is not the first frame, once", names
        )
        _hold(names.count("caught_up") <= 1, "caught_up came twice", names)
        last: dict[str, Event] = {}
        place = marked = 0
        for frame in stream.frames:
            for event in frame.events.events:
                before = last.get(event.job_id)
                if before is not None:
                    _hold(before.sequence < event.sequence, "an event came after a later one", event)
                    _hold(not before.HasField("job_ended"), "an event came after the end", event)
                last[event.job_id] = event
                found = history.find(event)
                if found is not None:
                    _hold(place <= found[0].position, "an event came after one of a later commit", event)
                    place = found[0].position
            _hold(marked <= (bookmark(frame) or marked), "a bookmark went back", frame)
            marked = bookmark(frame) or marked


def unique(recording: Recording, history: History, view: EventView) -> None:
    """Each event comes once over streams that continue each other, and none that an earlier snapshot includes."""
    for chain in recording.chains:
        shown: set[Key] = set()
        for stream in chain:
            covered: dict[str, int] = {}
            for frame in stream.frames:
                for event in frame.events.events:
                    _hold(key(event) not in shown, "an event came twice", event)
                    _hold(
                        event.sequence > covered.get(event.job_id, 0), "an event came that was covered", event
                    )
                    shown.add(key(event))
                if frame.HasField("snapshot"):
                    covered[frame.snapshot.job.job_id] = frame.snapshot.job.last_sequence


def reliable(recording: Recording, history: History, view: EventView) -> None:
    """No event is missing between the start and the last event; a stream that ends with OK is complete."""
    for stream in _opened(recording):
        seen = _Received(stream, history, view)
        reached = stream.opened.cursor
        for frame in stream.frames:
            seen.add(frame)
            for event in frame.events.events:
                found = history.find(event)
                reached = max(reached, found[0].position if found is not None else reached)
        for commit in history.after(stream.opened.cursor, reached):
            _hold(not (lacking := seen.lacks(commit, reached)), "an event is missing", lacking)
        if recording.breaks and stream is not recording.streams[-1]:
            continue
        if stream.code is grpc.StatusCode.OK and not stream.follows:
            caught_up = stream.frames[-1].HasField("caught_up")
            _hold(caught_up, "the stream ended well before it caught up", stream.frames[-1])
        elif stream.code is grpc.StatusCode.OK:
            end = history.commits[-1].events[-1] if history.commits else Event()
            ended = end.HasField("job_ended") and _last_bookmark(stream) >= history.head
            _hold(ended and not _is_of_many(stream), "the stream ended well before the job", end)


def resumable(recording: Recording, history: History, view: EventView) -> None:
    """A stream continues exactly where the one before ended, in the same epoch."""
    for chain in recording.chains:
        position = chain[0].opened.cursor
        for number, stream in enumerate(chain):
            opened = stream.opened
            _hold(opened.epoch == chain[0].opened.epoch, "the epoch changed unsaid", opened)
            if number:
                _hold(
                    stream.cursor == position, "the subscriber did not continue where it stood", stream.cursor
                )
            if stream.cursor is not None and not stream.is_fresh:
                _hold(opened.cursor == stream.cursor, "the stream opened elsewhere than was asked", opened)
            seen = _Received(stream, history, view)
            for frame in stream.frames:
                seen.add(frame)
                position = max(position, bookmark(frame) or 0)
                if found := [f for f in map(history.find, frame.events.events) if f is not None]:
                    _hold(found[0][0].position > opened.cursor, "it began before the cursor", found[0][1])
                    for commit in history.after(opened.cursor, found[0][0].position):
                        left_out = seen.lacks(commit, found[-1][0].position)
                        _hold(not left_out, "it left out its beginning", left_out)
                    break
            position = max(position, _last_bookmark(stream))


def bookmarkable(recording: Recording, history: History, view: EventView) -> None:
    """The cursor of a frame covers exactly the events that were sent or filtered out so far."""
    for stream in _opened(recording):
        seen = _Received(stream, history, view)
        checked = shown = stream.opened.cursor
        for frame in stream.frames:
            seen.add(frame)
            for found in map(history.find, frame.events.events):
                shown = max(shown, found[0].position if found is not None else 0)
            marked = bookmark(frame)
            if marked is None:
                continue
            _hold(marked >= shown, f"the bookmark {marked} is behind what was shown", shown)
            for commit in history.after(checked, marked):
                lacking = seen.lacks(commit, marked)
                _hold(not lacking, f"the bookmark {marked} is ahead of what was shown", lacking)
            checked = max(checked, marked)
            if isinstance(frame, WatchJobsResponse):
                continue  # commits that no filter shows have positions too
            _hold(marked <= history.head, f"the bookmark {marked} is ahead of the log", history.head)


def atomic(recording: Recording, history: History, view: EventView) -> None:
    """In WatchJobs all events of a commit come in one frame, so that no position lies within a commit."""
    for stream in _opened(recording):
        seen = _Received(stream, history, view)
        for frame in stream.frames:
            if not isinstance(frame, WatchJobsResponse):
                return
            seen.add(frame)
            events = frame.events.events
            shown = {key(event) for event in events}
            for commit in {
                found[0].position: found[0] for e in events if (found := history.find(e))
            }.values():
                _hold(commit.position <= frame.events.position, "a position is within a commit", frame)
                torn = [key(e) for e in commit.events if key(e) not in shown and _is_shown(e, stream)]
                _hold(not torn, "a commit is torn", torn)
                _hold(not seen.lacks(commit, frame.events.position), "a commit is torn", commit.position)


def filtered(recording: Recording, history: History, view: EventView) -> None:
    """No event is sent that the filter hides; the other validators find missing ones."""
    for event in recording.events:
        found = history.find(event)
        _hold(view.events(event), "an event was shown that the filter hides", event)
        _hold(
            found is None or view.commits(found[0]), "an event of a job was shown that does not match", event
        )


def durable(recording: Recording, history: History, view: EventView) -> None:
    """Each event is in the log, unchanged; a snapshot is the fold of the log."""
    for stream in _opened(recording):
        for event in stream.events:
            found = history.find(event)
            _hold(found is not None, "an event was shown that is not in the log", event)
            _hold(
                found is None or found[1] == event,
                "an event was shown otherwise than it is in the log",
                event,
            )
        for frame in stream.frames:
            job = frame.snapshot.job
            folded = history.job(job.job_id, job.last_sequence) if frame.HasField("snapshot") else None
            if folded is not None:
                _hold(_of_events(folded) == _of_events(job), "a snapshot is not the fold of the log", job)


VALIDATORS: Final[Mapping[str, Validator]] = {
    "Ordered": ordered,
    "Unique": unique,
    "Reliable": reliable,
    "Resumable": resumable,
    "Bookmarkable": bookmarkable,
    "Atomic": atomic,
    "Filter": filtered,
    "Durable": durable,
}


def check(recording: Recording, history: History, view: EventView | None = None) -> None:
    """Check a recording against the log. Raises Violation.

    It checks up to the last frame; the test checks that the recording is long enough.
    """
    for name, validator in VALIDATORS.items():
        try:
            validator(recording, history, view or EventView())
        except Violation as violation:
            raise Violation(f"{name}: {violation}") from None


def failing(recording: Recording, history: History, view: EventView | None = None) -> set[str]:
    """Return the names of the validators that a recording fails."""
    names = set()
    for name, validator in VALIDATORS.items():
        try:
            validator(recording, history, view or EventView())
        except Violation:
            names.add(name)
    return names


def missing(recording: Recording, history: History, view: EventView | None = None) -> list[Event]:
    """Return the events that the last stream has yet to send."""
    if not recording.streams or not recording.streams[-1].frames:
        return [event for commit in history.commits for event in commit.events]
    stream = recording.streams[-1]
    seen = _Received(stream, history, view or EventView())
    for frame in stream.frames:
        seen.add(frame)
    commits = history.after(stream.opened.cursor, history.head)
    return [event for commit in commits for event in seen.lacks(commit, history.head)]


def _hold(holds: bool, what: str, detail: object) -> None:
    if not holds:
        raise Violation(f"{what}: {str(detail)[:500]}")


def _opened(recording: Recording) -> Iterable[Stream]:
    return (stream for stream in recording.streams if stream.frames)


def _last_bookmark(stream: Stream) -> int:
    return max((bookmark(frame) or 0 for frame in stream.frames), default=0)


def _is_of_many(stream: Stream) -> bool:
    return any(isinstance(frame, WatchJobsResponse) for frame in stream.frames)


def _is_shown(event: Event, stream: Stream) -> bool:
    return any(key(event) == key(other) for other in stream.events)


def _of_events(job: Job) -> Job:
    """A copy of the job without the fields that do not come from its events."""
    copy = Job()
    copy.CopyFrom(job)
    for output_only in ("epoch", "first_sequence", "thinned_sequence", "estimate"):
        copy.ClearField(output_only)
    return copy
