"""Live events of Connect are written at once, as server-sent events are."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from milepost.v1 import Event, Events, LogWritten, WatchJobRequest, WatchJobResponse
from milepost.web.connect.connect_routes import connect_routes
from milepost.web.connect.envelopes import envelope
from milepost.web.service import Caller, PromptSend
from milepost.web.stream_response import WRITE_CHUNK

FRAMES = [
    WatchJobResponse(
        events=Events(events=[Event(job_id="j", sequence=n, log_written=LogWritten(text=str(n)))])
    ).SerializeToString()
    for n in (1, 2)
]


class _Backend:
    """Sends one frame and offers both; ``taken`` has which were taken."""

    def __init__(self) -> None:
        self.taken: list[bool] = []

    async def watch(self, method: str, receive: Any, caller: Caller, send: Any) -> None:
        """See ``JobsBackend``."""
        await receive(lambda size: None)
        assert isinstance(send, PromptSend)
        await send(FRAMES[0])
        self.taken = [send.offer(frame) for frame in FRAMES]

    async def run_in_slices(self, steps: Any) -> Any:
        """See ``JobsBackend``."""
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return done.value


@pytest.mark.parametrize(
    ("kind", "body", "taken"),
    [
        pytest.param("proto", WatchJobRequest(job_id="j").SerializeToString(), [True, True], id="binary"),
        pytest.param("json", b'{"jobId":"j"}', [True, False], id="JSON, which the first subscriber makes"),
    ],
)
async def test_offers(kind: str, body: bytes, taken: list[bool]) -> None:
    """A frame is one chunk with its envelope, the same that is sent; what has no text yet is not taken."""
    backend, written = _Backend(), list[bytes]()
    sent: list[dict[str, Any]] = []

    def write_chunk(chunk: bytes) -> bool:
        written.append(chunk)
        return True

    requests: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    requests.put_nowait({"type": "http.request", "body": envelope(body), "more_body": False})

    async def send(message: Any) -> None:
        sent.append(message)

    async def caller_of(scope: Any) -> Caller:
        return Caller("", "", scope)

    route = next(
        route for route in connect_routes(cast("Any", backend), caller_of) if route.path.endswith("/WatchJob")
    )
    scope = {
        "type": "http",
        "method": "POST",
        "headers": [(b"content-type", f"application/connect+{kind}".encode())],
        "extensions": {WRITE_CHUNK: write_chunk},
    }
    await route.app(scope, requests.get, send)

    assert backend.taken == taken
    first = next(message["body"] for message in sent if message["type"] == "http.response.body")
    assert written[0] == b"%x\r\n%b\r\n" % (len(first), first)
    assert len(written) == sum(taken)
