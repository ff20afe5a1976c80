"""What a subscriber was shown, as it was shown."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import grpc
import grpc.aio

from milepost.v1 import Event, Events, Opened, WatchJobResponse, WatchJobsResponse

__all__ = ["Frame", "Recording", "Stream", "bookmark"]

Frame: TypeAlias = WatchJobResponse | WatchJobsResponse


@dataclass
class Stream:
    """One stream. ``cursor`` is what it was asked to start after; None where it was asked for no cursor.

    ``code`` is how the server ended it; None where the subscriber left. ``follows`` is False where it was asked to end
    at the head, ``of_what_is_kept`` is True where it was given no start: in WatchJobs, what was dropped before is then
    passed over. ``on_gap_snapshot`` is True where it was asked to begin anew if it cannot be continued; where no
    job matches there is then no snapshot to see it by. ``error`` is what ``code`` came with.
    """

    cursor: int | None = 0
    follows: bool = True
    of_what_is_kept: bool = False
    on_gap_snapshot: bool = False
    frames: list[Frame] = field(default_factory=list)
    code: grpc.StatusCode | None = None
    error: grpc.aio.AioRpcError | None = None

    @property
    def opened(self) -> Opened:
        """The frame that it was opened with; empty where that did not come."""
        return next((frame.opened for frame in self.frames if frame.HasField("opened")), Opened())

    @property
    def events(self) -> Iterator[Event]:
        """What it brought."""
        return (event for frame in self.frames for event in frame.events.events)

    @property
    def is_fresh(self) -> bool:
        """Whether it began anew, rather than where the subscriber stood."""
        anew = self.on_gap_snapshot or any(frame.HasField("snapshot") for frame in self.frames)
        return self.cursor is None or (anew and self.opened.cursor != self.cursor)

    @property
    def is_told(self) -> bool:
        """Whether it brought more than `opened`."""
        return len(self.frames) > 1


@dataclass
class Recording:
    """What one subscriber saw: stream after stream, each but a fresh one continuing the one before.

    ``breaks`` says that connections broke under it. A client whose connection breaks may throw away what it has
    received and not yet read, and still tell the good end that came after; so it has to come back until it has the end.
    """

    streams: list[Stream] = field(default_factory=list)
    breaks: bool = False

    @classmethod
    def of(cls, frames: Sequence[Frame], *, cursor: int | None = 0, follows: bool = True) -> Recording:
        """Of a single stream that ended with OK."""
        return cls([Stream(cursor, follows, frames=list(frames), code=grpc.StatusCode.OK)])

    @classmethod
    def of_batches(cls, batches: Iterable[Sequence[Event]], *, cursor: int = 0) -> Recording:
        """Of what an SDK yielded, which shows no frames and makes one stream of all."""
        frames: list[Frame] = [WatchJobResponse(opened=Opened(cursor=cursor))]
        frames += [WatchJobResponse(events=Events(events=batch)) for batch in batches]
        return cls.of(frames, cursor=cursor)

    @property
    def events(self) -> list[Event]:
        """All that was shown."""
        return [event for stream in self.streams for event in stream.events]

    @property
    def cursor(self) -> int | None:
        """Where to resume; None where there is nothing to resume from, so that the next stream has to be fresh."""
        found: int | None = 0
        for stream in self.streams:
            if stream.is_fresh and (stream.is_told or stream.cursor is None):
                found = None
            for frame in stream.frames:
                found = found if (marked := bookmark(frame)) is None else marked
        return found

    @property
    def chains(self) -> Iterator[list[Stream]]:
        """The streams that continue one another. Those that brought nothing are left out."""
        chain: list[Stream] = []
        for stream in self.streams:
            if not stream.is_told:
                continue
            if chain and stream.is_fresh:
                yield chain
                chain = []
            chain.append(stream)
        if chain:
            yield chain

    async def record(
        self,
        call: AsyncIterable[Frame],
        cursor: int | None = 0,
        *,
        follows: bool = True,
        of_what_is_kept: bool = False,
        on_gap_snapshot: bool = False,
    ) -> grpc.StatusCode:
        """Takes a stream in, frame by frame as it comes, to its end; how the server ended it."""
        stream = Stream(cursor, follows, of_what_is_kept, on_gap_snapshot)
        self.streams.append(stream)
        try:
            async for frame in call:
                stream.frames.append(frame)
        except grpc.aio.AioRpcError as error:
            stream.code, stream.error = error.code(), error
        else:
            stream.code = grpc.StatusCode.OK
        return stream.code


def bookmark(frame: Frame) -> int | None:
    """Where to resume after a frame; None where it does not say."""
    match frame.WhichOneof("frame"):
        case "events" if isinstance(frame, WatchJobsResponse):
            return frame.events.position
        case "events":
            return frame.events.events[-1].sequence if frame.events.events else None
        case "snapshot" if isinstance(frame, WatchJobsResponse):
            return frame.snapshot.position or None
        case "snapshot":
            return frame.snapshot.job.last_sequence
        case "caught_up":
            return frame.caught_up.sequence
        case "status":
            return frame.status.cursor
        case "deleted" if isinstance(frame, WatchJobsResponse):
            return frame.deleted.position
        case "trimmed" if isinstance(frame, WatchJobsResponse):
            return frame.trimmed.position
    return None
