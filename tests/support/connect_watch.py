"""Watch by Connect as the stubs of gRPC do it, so that the tests of what a watch promises hold Connect to the same."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any, Final

import grpc
import grpc.aio
import httpx
from google.protobuf.json_format import MessageToJson, Parse
from google.rpc.status_pb2 import Status

from milepost.v1 import WatchJobRequest, WatchJobResponse, WatchJobsRequest, WatchJobsResponse
from tests.support.http_watch import HttpJobs, HttpWatch, http_client, unavailable

_CODES: Final = {
    "canceled" if code is grpc.StatusCode.CANCELLED else code.name.lower(): code for code in grpc.StatusCode
}


class ConnectHttpJobs(HttpJobs):
    """See ``HttpJobs``; ``framing`` is the codec, "proto" or "json"."""

    def __init__(self, url: str, codec: str, jobs: Any, timeout: float | None = None) -> None:
        super().__init__(url, "sse", jobs, timeout)
        self.framing = codec

    def WatchJob(self, request: WatchJobRequest, **_: object) -> HttpWatch:
        """See the contract."""
        return self._watch("WatchJob", request)

    def WatchJobs(self, request: WatchJobsRequest, **_: object) -> HttpWatch:
        """See the contract."""
        return self._watch("WatchJobs", request)

    def _watch(self, method: str, request: WatchJobRequest | WatchJobsRequest) -> HttpWatch:
        return ConnectWatch(self, f"/milepost.v1.JobService/{method}", request)


class ConnectWatch(HttpWatch):
    """See ``HttpWatch``."""

    async def _run(self) -> None:
        codec = self._jobs.framing
        is_json = codec == "json"
        message = MessageToJson(self._request).encode() if is_json else self._request.SerializeToString()
        try:
            async with (
                http_client(self._jobs.url, timeout=self._jobs.timeout) as client,
                client.stream(
                    "POST",
                    self._path,
                    content=struct.pack(">BI", 0, len(message)) + message,
                    headers={"content-type": f"application/connect+{codec}"},
                ) as response,
            ):
                self._jobs.statuses.append(response.status_code)
                if await self._read_envelopes(response, is_json=is_json):
                    return
        except httpx.TransportError as error:
            raise unavailable(str(error)) from error
        raise unavailable("the stream ended without its end")

    async def _read_envelopes(self, response: httpx.Response, *, is_json: bool) -> bool:
        """Pass the frames on; whether the stream had an end."""
        response_type = WatchJobResponse if self._is_job else WatchJobsResponse
        pending = b""
        async for chunk in response.aiter_bytes():
            pending += chunk
            while len(pending) >= 5 and len(pending) >= 5 + int.from_bytes(pending[1:5], "big"):
                size = int.from_bytes(pending[1:5], "big")
                flags, message, pending = pending[0], pending[5 : 5 + size], pending[5 + size :]
                if flags:
                    _raise_for(json.loads(message))
                    return True
                frame = response_type()
                if is_json:
                    Parse(message, frame)
                else:
                    frame.ParseFromString(message)
                await self._frames.put(frame)
        return False


def _raise_for(end: Any) -> None:
    """Raise the error that gRPC would raise for the end of a stream, if it has one."""
    if "error" not in end:
        return
    error = end["error"]
    code = _CODES[error["code"]]
    status = Status(code=code.value[0], message=error["message"])
    for detail in error.get("details", []):
        packed = status.details.add(type_url=f"type.googleapis.com/{detail['type']}")
        packed.value = _decoded(detail["value"])
    details = (("grpc-status-details-bin", status.SerializeToString()),)
    raise grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*details), error["message"])


def _decoded(value: str) -> bytes:
    return base64.b64decode(value + "=" * (-len(value) % 4))
