"""Server-sent events of an application's own HTML, for HTMX, Datastar, FastHTML, or a few lines of JavaScript.

::

    @app.get("/jobs/{job_id}/events")
    async def events(request: Request, job_id: str) -> Response:
        return await event_response(request, client, job_id, render=lambda job: f"<p>{job.fraction:.0%}</p>")
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Final, Self, TypeAlias

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from milepost.client import Client, JobSnapshot
from milepost.client.errors import (
    Draining,
    JobNotFound,
    LimitReached,
    StoreUnavailable,
    TokenUnavailable,
    Unreachable,
)
from milepost.contract.job_states import has_ended, state_name
from milepost.web.framing import SSE
from milepost.web.stream_response import COMMENT_INTERVAL, HEADERS, comment, retry

__all__ = ["Render", "event_response", "event_stream", "server_sent_event"]

Render: TypeAlias = Callable[[JobSnapshot], "str | Mapping[str, str] | Awaitable[str | Mapping[str, str]]"]
"""Makes HTML of a job: of one event named ``message``, or of several by their names. Escape what is not yours: every
text of a job is somebody else's."""

_NOT_FOUND: Final = "NOT_FOUND"

_TRANSIENT: Final = (Unreachable, Draining, StoreUnavailable, LimitReached, TokenUnavailable)
"""Errors that pass."""

_LINE_END: Final = re.compile("\r\n|\r|\n")


async def event_response(request: Request, client: Client, job_id: str, *, render: Render) -> Response:
    """A response with ``event_stream`` to a request of EventSource or HTMX, with the headers that it needs.

    A client that comes back after the end gets 204, which stops EventSource. While the server is away it gets the
    stream, which waits for that: EventSource gives up for good on any other status.

    Raises:
        MilepostError: The server refuses the client.
    """
    last_event_id = request.headers.get("last-event-id", "")
    if last_event_id:
        try:
            job = await client.get(job_id)
            if has_ended(job) and _event_id(job) == last_event_id:
                return Response(status_code=204)
        except JobNotFound:
            return Response(status_code=404)
        except _TRANSIENT:
            pass  # the stream waits
    stream = event_stream(client, job_id, render=render, last_event_id=last_event_id)
    headers = {name.decode(): value.decode() for name, value in HEADERS}
    return StreamingResponse(stream, headers=headers, media_type=SSE.media_type)


async def event_stream(
    client: Client, job_id: str, *, render: Render, last_event_id: str = ""
) -> AsyncGenerator[str, None]:
    """The states of a job as server-sent events: its present one, and each further one until it has ended.

    They come as fast as they are read; what is not read in time is left out, but never the last one. Then comes an
    event ``end`` with the state in which the job has ended, or ``NOT_FOUND`` for a job that is not there: the client
    has to close the stream, or it comes back.

    Args:
        client: Whose watch it is. It reconnects by itself.
        job_id: The job.
        render: Makes the HTML.
        last_event_id: The header ``Last-Event-ID`` of the request. The state that the client has is not sent again.

    Raises:
        MilepostError: As for ``Client.follow``, except that the job is not there.
    """
    yield retry(0.0)
    event_id, state = last_event_id, _NOT_FOUND
    jobs = _States(client.follow(job_id))
    try:
        async for job in jobs:
            if job is None:
                yield comment("still here")
                continue
            state = state_name(job)
            if event_id != _event_id(job):
                event_id = _event_id(job)
                made = render(job)
                html = await made if inspect.isawaitable(made) else made
                for name, text in ({"message": html} if isinstance(html, str) else html).items():
                    yield server_sent_event(text, event=name, place=event_id)
    except JobNotFound:
        state = _NOT_FOUND
    finally:
        jobs.close()
    yield server_sent_event(state, event="end", place=event_id)


def server_sent_event(data: str, *, event: str = "message", place: str = "") -> str:
    """An event with this data, of any number of lines. Raises ValueError for a name or an id of more than one."""
    if _LINE_END.search(event + place):
        raise ValueError("The name and the id of a server-sent event are one line each.")
    lines = "".join(f"data: {line}\n" for line in _LINE_END.split(data))
    # An event without a name is a `message`; HTMX 4 swaps in only those that have none.
    name = "" if event == "message" else f"event: {event}\n"
    return name + (f"id: {place}\n" if place else "") + f"{lines}\n"


def _event_id(job: JobSnapshot) -> str:
    return f"{job.proto.epoch}:{job.proto.last_sequence}"


class _States:
    """The states of a job, and None whenever none has come for a while."""

    def __init__(self, states: AsyncGenerator[JobSnapshot, None]) -> None:
        self._states = states
        self._coming: asyncio.Future[JobSnapshot | None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> JobSnapshot | None:
        if self._coming is None:
            self._coming = asyncio.ensure_future(anext(self._states, None))
        done, _ = await asyncio.wait((self._coming,), timeout=COMMENT_INTERVAL)
        if not done:
            return None
        coming, self._coming = self._coming, None
        job = coming.result()
        if job is None:
            raise StopAsyncIteration
        return job

    def close(self) -> None:
        """Begin to end the watch, in a task of its own: where a scope of anyio is cancelled, so is each await in it."""
        closing = asyncio.ensure_future(self._close())
        _CLOSING.add(closing)
        closing.add_done_callback(_CLOSING.discard)

    async def _close(self) -> None:
        if self._coming is not None:
            self._coming.cancel()
            await asyncio.gather(self._coming, return_exceptions=True)
        await self._states.aclose()


_CLOSING: Final[set[asyncio.Future[None]]] = set()
"""Tasks that end watches; the event loop itself would not keep them."""
