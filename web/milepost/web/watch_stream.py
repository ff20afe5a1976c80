"""A watch as an HTTP response that does not end: server-sent events, or lines of JSON.

EventSource reconnects by itself, but gives up for good on any status but 200. So transient errors are records of a
stream with status 200; and 204 answers a client that comes back after the end. A record for a gap precedes the snapshot
or error that follows it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Hashable
from functools import partial
from typing import Any, Final

from google.protobuf.message import Message
from google.rpc import code_pb2
from starlette.types import Receive, Scope, Send

from milepost.contract.job_states import has_ended
from milepost.v1 import (
    GetJobRequest,
    GetJobResponse,
    WatchJobRequest,
    WatchJobResponse,
    WatchJobsRequest,
    WatchJobsResponse,
)
from milepost.web.disconnects import while_connected
from milepost.web.frame_records import CACHE_BYTES, FrameEncoder, TextCache, is_shared, record_of
from milepost.web.framing import NDJSON, SSE
from milepost.web.http_errors import error_json
from milepost.web.live_readers import SHARING_READERS, LiveReaders
from milepost.web.service import Arrived, Caller, JobsBackend, PromptSend, SeenEnough, ServiceError
from milepost.web.shared_texts import SharedTexts
from milepost.web.stream_response import WRITE_CHUNK, StreamResponse, WriteChunk
from milepost.web.watch_request import WatchRequest

_GAPS: Final = ("EPOCH_CHANGED", "SEQUENCE_TRIMMED")
"""Reasons why a watch cannot go on at its cursor."""

_TRANSIENT: Final = (code_pb2.UNAVAILABLE, code_pb2.RESOURCE_EXHAUSTED)
"""Statuses after which the same request may succeed."""


class _NoContent(Exception):
    """Nothing more will come: the job has ended, and the client has all of it."""


class WatchStreams:
    """Makes responses of watches. Those of the same frames share their text."""

    def __init__(self, backend: JobsBackend) -> None:
        self._backend = backend
        self._texts: TextCache = SharedTexts(CACHE_BYTES)
        self._encoders = {
            (framing, response): FrameEncoder(framing, response, self._texts)
            for framing in (SSE, NDJSON)
            for response in (WatchJobResponse, WatchJobsResponse)
        }

    async def respond(
        self, watch: WatchRequest, caller: Caller, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send the response. Raises ServiceError before anything is sent; ClientGone once the client has left."""
        is_job = isinstance(watch.request, WatchJobRequest)
        complete = asyncio.Event()
        complete.set()
        if scope["method"] == "HEAD":
            await while_connected(receive, complete, self._check(watch, caller))
            await StreamResponse(watch.framing, send).end()
            return
        write_chunk: WriteChunk | None = scope.get("extensions", {}).get(WRITE_CHUNK)
        response_type = WatchJobResponse if is_job else WatchJobsResponse
        stream = _Stream(
            self._backend,
            watch,
            caller,
            StreamResponse(watch.framing, send, write_chunk),
            self._encoders[watch.framing, response_type],
        )
        with self._texts.subscribing():
            await while_connected(receive, complete, stream.run())

    async def _check(self, watch: WatchRequest, caller: Caller) -> None:
        """Raise the error that a watch begins with: begin it, and leave it at its first frame."""
        request: Message = watch.request

        async def receive(arrived: Arrived) -> Message:
            return request

        async def leave(frame: bytes) -> None:
            raise SeenEnough

        try:
            await self._backend.watch(_method_of(watch), receive, caller, leave)
        except SeenEnough:
            pass
        except ServiceError as error:
            if not _is_bridged(error, watch):
                raise


class _Stream:
    """One response."""

    def __init__(
        self,
        backend: JobsBackend,
        watch: WatchRequest,
        caller: Caller,
        response: StreamResponse,
        encoder: FrameEncoder,
    ) -> None:
        self._backend = backend
        self._watch = watch
        self._caller = caller
        self.response = response
        self._encoder = encoder
        self._is_job = isinstance(watch.request, WatchJobRequest)
        self._frame_type: Any = WatchJobResponse if self._is_job else WatchJobsResponse
        self._epoch = watch.request.epoch
        self._cursor = watch.cursor
        # The JSON of its record. Not the error: its traceback has this stream, and that of the server.
        self._gap: str | None = None

    async def run(self) -> None:
        """Watch until there is nothing more to come, or the server stops."""
        try:
            if self._watch.resumed and self._is_job and await self._has_ended():
                raise _NoContent
            while not await self._watch_once():
                pass
            await self.response.record("end", self._event_id, f'{{"cursor":"{self._cursor}"}}')
            await self.response.end()
        except _NoContent:
            await self.response.no_content()
        except ServiceError as error:
            if self._is_status(error):
                raise
            await self._fail(error)
        finally:
            self.response.close()

    async def _watch_once(self) -> bool:
        """Watch until the end, or until a gap that a snapshot follows; return whether it was the end."""
        asked: WatchJobRequest | WatchJobsRequest = type(self._watch.request)()
        asked.CopyFrom(self._watch.request)
        if self._gap is not None:
            asked.epoch = ""
            asked.from_snapshot = True

        async def receive(arrived: Arrived) -> Message:
            return asked

        try:
            await self._backend.watch(
                _method_of(self._watch),
                receive,
                self._caller,
                PromptSend(self._send, self._offer, self),
            )
        except ServiceError as error:
            if not _is_bridged(error, self._watch):
                raise
            self._gap = self._gap_json(error)
            return False
        return True

    async def _send(self, frame: bytes) -> None:
        if is_shared(frame):
            encoded = self._encoder.encode(frame, self._epoch)
            self._cursor = encoded.cursor
            await self.response.chunks(encoded.chunks)
            return
        await self._send_other(self._frame_type.FromString(frame))

    def _offer(self, frame: bytes) -> bool:
        """Send a frame of a few events at once, where that is possible."""
        if not is_shared(frame):
            return False
        encoded = self._encoder.encode(frame, self._epoch)
        if not self.response.offer(encoded.http_chunk):
            return False
        self._cursor = encoded.cursor
        return True

    @property
    def key(self) -> Hashable:
        """See ``SharingReader``."""
        takes_chunks = self.response.write_chunk is not None and self.response.started
        return (self._encoder, self._epoch) if takes_chunks else None

    @property
    def shares_limit(self) -> int:
        """See ``SharingReader``."""
        return SHARING_READERS

    def share(self) -> LiveReaders:
        """See ``SharingReader``."""
        return LiveReaders(partial(self._encoder.encode, epoch=self._epoch))

    def move_to(self, cursor: int) -> None:
        """See ``LiveReader``."""
        # A status may have said more than what was written to it with others.
        self._cursor = max(self._cursor, cursor)

    async def _send_other(self, frame: Any) -> None:
        of_snapshot = self._gap is not None or self._watch.request.from_snapshot
        record = record_of(frame, of_snapshot=of_snapshot)
        if record is None:
            return
        gap = None
        if record.name == "opened":
            is_at_head = frame.opened.cursor >= frame.opened.head_sequence
            if self._watch.resumed and self._watch.request.no_follow and not of_snapshot and is_at_head:
                raise _NoContent
            gap = self._gap
            self._epoch = frame.opened.epoch
        event_id = ""
        if record.cursor is not None:
            self._cursor = record.cursor
            event_id = self._event_id
        await self.response.message(record.name, event_id, record.message)
        if gap is not None:
            await self.response.record("gap", "", gap)

    @property
    def _event_id(self) -> str:
        return f"{self._epoch}:{self._cursor}"

    async def _has_ended(self) -> bool:
        """Whether the client has all of a job that has ended."""

        async def receive(arrived: Arrived) -> Message:
            return GetJobRequest(job_id=self._watch.request.job_id)

        try:
            async with self._backend.call("GetJob", receive, self._caller) as response:
                found = await self._backend.decode("GetJob", response)
                assert isinstance(found, GetJobResponse)
                job = found.job
                return has_ended(job) and (job.epoch, job.last_sequence) == (self._epoch, self._cursor)
        except ServiceError as error:
            # An application may let its users watch a job, and not get it.
            if error.reason != "PERMISSION_DENIED":
                raise
            return False

    def _gap_json(self, error: ServiceError) -> str:
        return json.dumps(
            {
                "reason": error.reason,
                "message": error.status.message,
                "epoch": self._epoch,
                "cursor": str(self._cursor),
            },
            separators=(",", ":"),
        )

    def _is_status(self, error: ServiceError) -> bool:
        """Whether to end with an error as a status: where nothing is sent yet, and the client can tell."""
        return not self.response.started and not self._is_transient(error)

    def _is_transient(self, error: ServiceError) -> bool:
        """Whether EventSource is to come back after this error, which it does after a stream with status 200 only."""
        is_of_time = error.status.code in _TRANSIENT or (
            error.reason == "SEQUENCE_AHEAD" and self._watch.resumed
        )
        return is_of_time and self._watch.framing is SSE

    async def _fail(self, error: ServiceError) -> None:
        """End with an error within the stream."""
        if self._is_transient(error):
            await self.response.retry(error.retry_delay or 0.0)
        if error.reason == "DRAINING" and self._watch.framing is SSE:
            await self.response.comment("The server is stopping; reconnect.")
        else:
            await self.response.record("failure", "", error_json(error))
        await self.response.end()


def _method_of(watch: WatchRequest) -> str:
    return "WatchJob" if isinstance(watch.request, WatchJobRequest) else "WatchJobs"


def _is_bridged(error: ServiceError, watch: WatchRequest) -> bool:
    """Whether the stream goes on after this error, with a gap and a snapshot."""
    return error.reason in _GAPS and watch.snapshot_on_gap
