"""Record the frames that a subscriber receives."""

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
    """One stream. ``cursor`` is the requested one; None without one.

    Attributes:
        follows: False if the stream was requested to end at the head.
        of_what_is_kept: Whether the request had no start: WatchJobs then leaves out what was dropped before.
        on_gap_snapshot: Whether a gap was to be answered with a snapshot; there is none if no job matches.
        code: The status with which the server ended the stream; None if the subscriber left.
        error: The error with that status.
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
        """The `opened` frame; empty if none came."""
        return next((frame.opened for frame in self.frames if frame.HasField("opened")), Opened())

    @property
    def events(self) -> Iterator[Event]:
        """Its events."""
        return (event for frame in self.frames for event in frame.events.events)

    @property
    def is_fresh(self) -> bool:
        """Whether it started over, rather than at the subscriber's cursor."""
        restarted = self.on_gap_snapshot or any(frame.HasField("snapshot") for frame in self.frames)
        return self.cursor is None or (restarted and self.opened.cursor != self.cursor)

    @property
    def has_content(self) -> bool:
        """Whether it has frames besides `opened`."""
        return len(self.frames) > 1


@dataclass
class Recording:
    """The streams of one subscriber; each continues the one before unless it is fresh.

    ``breaks`` says that connections broke. A client whose connection breaks may discard received frames, and still
    report the OK that followed them; so the subscriber resumes until it has the end.
    """

    streams: list[Stream] = field(default_factory=list)
    breaks: bool = False

    @classmethod
    def of(cls, frames: Sequence[Frame], *, cursor: int | None = 0, follows: bool = True) -> Recording:
        """The recording of a single stream that ended with OK."""
        return cls([Stream(cursor, follows, frames=list(frames), code=grpc.StatusCode.OK)])

    @classmethod
    def of_batches(cls, batches: Iterable[Sequence[Event]], *, cursor: int = 0) -> Recording:
        """The recording of the batches of an SDK, as one stream."""
        frames: list[Frame] = [WatchJobResponse(opened=Opened(cursor=cursor))]
        frames += [WatchJobResponse(events=Events(events=batch)) for batch in batches]
        return cls.of(frames, cursor=cursor)

    @property
    def events(self) -> list[Event]:
        """The events of all streams."""
        return [event for stream in self.streams for event in stream.events]

    @property
    def cursor(self) -> int | None:
        """The cursor to resume at; None without one, so that the next stream must be fresh."""
        found: int | None = 0
        for stream in self.streams:
            if stream.is_fresh and (stream.has_content or stream.cursor is None):
                found = None
            for frame in stream.frames:
                found = found if (marked := bookmark(frame)) is None else marked
        return found

    @property
    def chains(self) -> Iterator[list[Stream]]:
        """The groups of streams that continue each other, without those that have no content."""
        chain: list[Stream] = []
        for stream in self.streams:
            if not stream.has_content:
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
        """Record a stream to its end; return its status."""
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
    """The cursor to resume at after a frame; None if the frame has none."""
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
