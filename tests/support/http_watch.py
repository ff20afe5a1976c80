"""Watch over HTTP as the stubs of gRPC do it: the same requests and frames, as server-sent events or lines of JSON.

So the tests of what a watch promises hold HTTP to the same, and the validators judge what its subscribers saw.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Final, NamedTuple, TypeAlias

import grpc
import grpc.aio
import httpx
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from milepost.v1 import (
    Event,
    Events,
    OnGap,
    WatchJobRequest,
    WatchJobResponse,
    WatchJobsRequest,
    WatchJobsResponse,
)

__all__ = ["FRAMINGS", "HttpJobs", "HttpWatch", "Record", "http_client", "records", "unavailable"]

FRAMINGS: Final = {"sse": "text/event-stream", "ndjson": "application/x-ndjson"}

_FRAMES: Final = ("opened", "snapshot", "caught_up", "status", "deleted", "trimmed")
_OTHERS: Final = (*_FRAMES, "gap", "failure", "end")

_Request: TypeAlias = WatchJobRequest | WatchJobsRequest

_STATUSES: Final = {code.name: code for code in grpc.StatusCode}


class Record(NamedTuple):
    """One event of a stream; ``id`` is empty without one."""

    name: str
    id: str
    data: Any


def http_client(url: str, **options: Any) -> httpx.AsyncClient:
    """A client that waits for ever, unless it has a ``timeout``."""
    # To load the system's authorities takes longer than most tests.
    return httpx.AsyncClient(base_url=url, trust_env=False, **{"timeout": None, "verify": False, **options})


async def records(response: httpx.Response) -> AsyncGenerator[Record, None]:
    """The records of a stream. Comments, and how long to wait before coming back, go by."""
    fields: dict[str, str] = {}
    is_sse = response.headers["content-type"] == FRAMINGS["sse"]
    async for line in response.aiter_lines():
        if not is_sse:
            record = json.loads(line)
            yield Record(record["event"], record.get("id", ""), record["data"])
        elif line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        else:
            if "data" in fields:
                yield Record(fields["event"], fields.get("id", ""), json.loads(fields["data"]))
            fields = {}


class HttpJobs:
    """The watches of ``JobService`` at ``url``; all other calls are those of ``jobs``, by gRPC.

    A stream without a word for ``timeout`` seconds counts as cut. A cursor with an epoch is sent as ``Last-Event-ID``,
    one without as a parameter. With ``joins`` it always is a parameter, which may be that of an end; and events that
    follow each other become one frame, once something else follows them.

    Attributes:
        statuses: The HTTP statuses of all responses.
    """

    def __init__(
        self, url: str, framing: str, jobs: Any, timeout: float | None = None, *, joins: bool = False
    ) -> None:
        self.url = url
        self.framing = FRAMINGS[framing]
        self.timeout = timeout
        self.joins = joins
        self.statuses: list[int] = []
        self._jobs = jobs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._jobs, name)

    def WatchJob(self, request: WatchJobRequest, **_: object) -> HttpWatch:
        """See the contract."""
        return HttpWatch(self, f"/v1/jobs/{request.job_id}:watch", request)

    def WatchJobs(self, request: WatchJobsRequest, **_: object) -> HttpWatch:
        """See the contract."""
        return HttpWatch(self, "/v1/jobs:watch", request)


class HttpWatch:
    """A call: iterate over it, or ``read`` frame by frame; ``cancel`` it, and ask for its ``code``."""

    def __init__(self, jobs: HttpJobs, path: str, request: _Request) -> None:
        self._jobs = jobs
        self._path = path
        self._request = request
        self._is_job = isinstance(request, WatchJobRequest)
        self._frames: asyncio.Queue[Any] = asyncio.Queue(1)
        self._running = asyncio.ensure_future(self._run())
        self.gaps: list[Any] = []

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._all()

    async def read(self) -> Any:
        """The next frame; EOF at the end. Raises AioRpcError."""
        if self._running.done() and self._frames.empty():
            return self._end()
        getting = asyncio.ensure_future(self._frames.get())
        await asyncio.wait((getting, self._running), return_when=asyncio.FIRST_COMPLETED)
        if getting.done():
            return getting.result()
        getting.cancel()
        return self._frames.get_nowait() if not self._frames.empty() else self._end()

    async def code(self) -> grpc.StatusCode:
        """The status, once it has ended."""
        await asyncio.wait((self._running,))
        if self._running.cancelled():
            return grpc.StatusCode.CANCELLED
        error = self._running.exception()
        return error.code() if isinstance(error, grpc.aio.AioRpcError) else grpc.StatusCode.OK

    def cancel(self) -> bool:
        """Leave."""
        return self._running.cancel()

    def _end(self) -> Any:
        if self._running.cancelled():
            raise asyncio.CancelledError
        self._running.result()
        return grpc.aio.EOF

    async def _all(self) -> AsyncGenerator[Any, None]:
        try:
            while (frame := await self.read()) is not grpc.aio.EOF:
                yield frame
        finally:
            self._running.cancel()

    async def _run(self) -> None:
        headers, parameters = self._asked()
        try:
            async with (
                http_client(self._jobs.url, timeout=self._jobs.timeout) as client,
                client.stream("GET", self._path, params=parameters, headers=headers) as response,
            ):
                self._jobs.statuses.append(response.status_code)
                if response.status_code == httpx.codes.NO_CONTENT:
                    return
                if response.status_code != httpx.codes.OK:
                    await response.aread()
                    raise _error(response.json())
                if await self._read(response):
                    return
        except httpx.TransportError as error:
            await asyncio.sleep(0.05)  # a client that reconnects at once would keep the loop busy
            raise unavailable(str(error)) from error
        raise unavailable("the stream ended without its end")

    async def _read(self, response: httpx.Response) -> bool:
        """Pass the frames on; whether the stream had an end."""
        commit: list[Event] = []
        held = ""
        async with aclosing(records(response)) as received:
            async for name, place, data in received:
                if held and name in _OTHERS:
                    await self._frames.put(self._events(commit, int(held.rpartition(":")[2])))
                    commit, held = [], ""
                match name:
                    case "end":
                        return True
                    case "failure":
                        raise _error(data)
                    case "gap":
                        self.gaps.append(data)
                    case _ if name in _FRAMES:
                        await self._frames.put(self._frame(name, data))
                    case _:
                        event = ParseDict(data, Event())
                        assert name == event.WhichOneof("payload")
                        commit.append(event)
                        assert not self._is_job or place.endswith(f":{event.sequence}")
                        if place and self._jobs.joins:
                            held = place
                        elif place:
                            await self._frames.put(self._events(commit, int(place.rpartition(":")[2])))
                            commit = []
        return False

    def _frame(self, name: str, data: Any) -> Any:
        frame = WatchJobResponse() if self._is_job else WatchJobsResponse()
        return ParseDict({name: data}, frame)

    def _events(self, events: list[Event], cursor: int) -> Any:
        if self._is_job:
            return WatchJobResponse(events=Events(events=events))
        return WatchJobsResponse(events=Events(events=events, position=cursor))

    def _asked(self) -> tuple[dict[str, str], httpx.QueryParams]:
        """The headers and parameters of the request."""
        headers = {"accept": self._jobs.framing}
        asked = copy.deepcopy(self._request)
        start = asked.WhichOneof("start")
        parameters = []
        if start in ("from_snapshot", "from_latest"):
            parameters.append(("start", start.removeprefix("from_")))
            asked.ClearField("start")
        elif start is not None and asked.epoch and not self._jobs.joins:
            headers["last-event-id"] = f"{asked.epoch}:{getattr(asked, start)}"
            asked.ClearField("start")
            asked.ClearField("epoch")
        if not asked.on_gap:
            # gRPC's default; over HTTP the default is a `gap` and a snapshot.
            asked.on_gap = OnGap.ON_GAP_FAIL
        if isinstance(asked, WatchJobRequest):
            asked.job_id = ""
        return headers, httpx.QueryParams([*parameters, *_parameters(asked)])


def _parameters(message: Message, path: str = "") -> list[tuple[str, str]]:
    """The fields of a message as query parameters."""
    found: list[tuple[str, str]] = []
    for name, value in MessageToDict(message, preserving_proto_field_name=True).items():
        match value:
            case dict():
                nested = getattr(message, name)
                inner = _parameters(nested, f"{path}{name}.") if isinstance(nested, Message) else []
                found += inner or [(f"{path}{name}.{key}", str(each)) for key, each in value.items()]
            case list():
                found += [(f"{path}{name}", str(each)) for each in value]
            case bool():
                found.append((f"{path}{name}", str(value).lower()))
            case _:
                found.append((f"{path}{name}", str(value)))
    return found


def _error(body: Any) -> grpc.aio.AioRpcError:
    """The error that gRPC would raise for a refusal."""
    error = body["error"]
    code = _STATUSES[error["status"]]
    status = ParseDict(
        {"code": code.value[0], "message": error["message"], "details": error.get("details", [])}, Status()
    )
    details = (("grpc-status-details-bin", status.SerializeToString()),)
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*details), error["message"])


def unavailable(why: str) -> grpc.aio.AioRpcError:
    """The error of a stream that was cut."""
    return grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), why)
