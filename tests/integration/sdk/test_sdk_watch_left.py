"""Watches that are closed while they wait to connect again, and whose callbacks fail."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from milepost.client import Client, Connection, Gap, JobsWatch, SyncClient
from milepost.v1 import (
    Event,
    Events,
    Job,
    JobStarted,
    Opened,
    Snapshot,
    Status,
    Waiting,
    WatchJobResponse,
    WatchJobsResponse,
)
from tests.support.scripted import Context, ScriptedServer, Stream, away_for_an_hour, scripted, serving


async def test_closing_a_watch_wakes_who_waits_for_the_server() -> None:
    """The iteration ends at once, and not when the watch would have connected again."""
    refused = asyncio.Event()

    def on_state(connection: Connection) -> None:
        if connection.retry_in >= 3600:
            refused.set()

    async with scripted(away_for_an_hour) as server, Client(server.address) as client:
        watch = client.watch("j", on_state=on_state)
        waiting = asyncio.ensure_future(anext(watch, None))
        await refused.wait()
        await watch.aclose()
        assert await waiting is None
        assert len(server.requests) == 1


async def test_closing_a_watch_wakes_who_waits_for_a_token() -> None:
    """And who waits for the answer to any other call of the watch."""
    asked = asyncio.Event()

    async def token() -> str:
        asked.set()
        await asyncio.Event().wait()
        return ""

    async with scripted(away_for_an_hour) as server, Client(server.address, token=token) as client:
        watch = client.watch("j")
        waiting = asyncio.ensure_future(anext(watch, None))
        await asked.wait()
        await watch.aclose()
        assert await waiting is None
        assert server.requests == []


async def test_closing_a_client_wakes_who_waits_for_the_server() -> None:
    """With an error, as where the watch reads."""
    refused = asyncio.Event()

    def on_state(connection: Connection) -> None:
        if connection.retry_in >= 3600:
            refused.set()

    async with scripted(away_for_an_hour) as server, Client(server.address) as client:
        waiting = asyncio.ensure_future(anext(client.watch("j", on_state=on_state)))
        await refused.wait()
        await client.close()
        with pytest.raises(RuntimeError, match="The client is closed"):
            await waiting


async def test_closing_a_watch_wakes_a_thread_that_waits_for_the_server() -> None:
    """In a program without asyncio."""
    refused = threading.Event()

    def on_state(connection: Connection) -> None:
        if connection.retry_in >= 3600:
            refused.set()

    async with scripted(away_for_an_hour) as server:
        with SyncClient(server.address) as client:
            watch = client.watch("j", on_state=on_state)
            waiting = asyncio.create_task(asyncio.to_thread(list, watch))
            await asyncio.to_thread(refused.wait)
            await asyncio.to_thread(watch.close)
            assert await waiting == []


async def test_a_callback_that_fails_loses_no_event() -> None:
    """The iteration gets its error, and goes on with the events that came with what it was called for."""

    async def starts(stream: Stream) -> None:
        await stream.open(head=2)
        await stream.context.write(WatchJobResponse(status=Status(waiting=Waiting())))
        events = [Event(sequence=1), Event(sequence=2, job_started=JobStarted())]
        await stream.context.write(WatchJobResponse(events=Events(events=events)))
        await stream.hang()

    def on_waiting(waiting: Waiting | None) -> None:
        if waiting is None:
            raise ZeroDivisionError

    async with scripted(starts) as server, Client(server.address) as client:
        watch = client.watch("j", on_waiting=on_waiting)
        with pytest.raises(ZeroDivisionError):
            await anext(watch)
        assert watch.cursor == 0
        places = []
        for _ in range(2):
            places += [(await anext(watch)).sequence, watch.cursor]
        await watch.aclose()

    assert places == [1, 1, 2, 2]


class Replaced(ScriptedServer):
    """A server whose store was replaced, or is after its first stream has listed the jobs."""

    def __init__(self, *, while_listing: bool) -> None:
        super().__init__(())
        self.epochs = ["old", "new"] if while_listing else ["new"]

    async def WatchJobs(self, request: Any, context: Context) -> None:  # type: ignore[override]
        """List one job, and follow."""
        if request.after_position:
            reason = AnyMessage()
            reason.Pack(error_details_pb2.ErrorInfo(reason="EPOCH_CHANGED", domain="milepost.v1"))
            status = status_pb2.Status(code=code_pb2.FAILED_PRECONDITION, details=[reason])
            await context.abort_with_status(rpc_status.to_status(status))
        epoch = self.epochs[0]
        opened = Opened(epoch=epoch, first_sequence=1, head_sequence=3)
        await context.write(WatchJobsResponse(opened=opened))
        await context.write(WatchJobsResponse(snapshot=Snapshot(job=Job(job_id=epoch, last_sequence=1))))
        if len(self.epochs) > 1:
            del self.epochs[0]
            await context.abort(grpc.StatusCode.UNAVAILABLE, "restored")
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("while_listing", "expected"),
    [(False, ["connecting", "connecting"]), (True, ["connecting", "live", "reconnecting", "live"])],
)
async def test_a_callback_that_fails_loses_no_gap(*, while_listing: bool, expected: list[str]) -> None:
    """Nobody else tells that all jobs come again: it comes with the next iteration, and then they do."""
    states: list[str] = []

    def on_state(connection: Connection) -> None:
        states.append(connection.state)
        if states == expected:
            raise ZeroDivisionError

    position: dict[str, Any] = {"snapshot": True} if while_listing else {"after": 3, "epoch": "old"}
    got: list[object] = []
    async with serving(Replaced(while_listing=while_listing)) as server, Client(server.address) as client:
        watch = client.watch_jobs(**position, on_gap="snapshot", on_state=on_state)
        while not isinstance((item := await next_or_error(watch)), Gap):
            got.append(getattr(item, "job_id", item))
        got.append(getattr(await anext(watch), "job_id", ""))
        await watch.aclose()

    assert got == [*["old"] * while_listing, "ZeroDivisionError", "new"]


async def next_or_error(watch: JobsWatch) -> object:
    """The next item, or the name of the error in its place."""
    try:
        return await anext(watch)
    except ZeroDivisionError as error:
        return type(error).__name__
