"""Watches of misbehaving servers and networks: they resume or raise, and never yield wrong events."""

from __future__ import annotations

import asyncio
import gc

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from milepost.client import Client, Connection, Watch
from milepost.client._watch import watch_cursor
from milepost.client._watch.node_lag import NodeLag
from milepost.client.errors import (
    EpochChanged,
    PermissionDenied,
    ProtocolError,
    SequenceAhead,
    SequenceTrimmed,
    ServiceError,
    Unreachable,
)
from milepost.v1 import Job, JobState
from tests.support.scripted import ScriptedServer, Stream, scripted


async def whole_log(stream: Stream) -> None:
    """A correct server with a log of five events."""
    await stream.open(head=5)
    await stream.events(*range(stream.request.after_sequence + 1, 6), end=True)


async def nothing_new(stream: Stream) -> None:
    """A correct server with an idle job."""
    await stream.open(head=2)
    if stream.request.after_sequence < 2:
        await stream.events(*range(stream.request.after_sequence + 1, 3))
    await stream.caught_up(2)
    await stream.hang()


async def sequences(watch: Watch) -> list[int]:
    """The sequences of all yielded events."""
    return [event.sequence async for event in watch]


@pytest.mark.parametrize("code", ["UNAVAILABLE", "CANCELLED", "INTERNAL", "UNKNOWN", None])
async def test_an_interrupted_stream_is_resumed(code: str | None) -> None:
    """After the last event, in the same epoch: if the server or a proxy aborts the stream, or it ends OK (rule 6)."""

    async def interrupted(stream: Stream) -> None:
        await stream.open(head=5)
        await stream.events(1, 2)
        if code is not None:
            await stream.fail(grpc.StatusCode[code], "see you")

    async with scripted(interrupted, whole_log) as server, Client(server.address) as client:
        states: list[Connection] = []
        watch = client.watch("j", on_state=states.append)
        assert await sequences(watch) == [1, 2, 3, 4, 5]
    assert [(request.after_sequence, request.epoch) for request in server.requests] == [(0, ""), (2, "e")]
    assert [state.state for state in states] == ["connecting", "live", "reconnecting", "live"]
    assert (states[-1].resumed_at, watch.reconnects) == (2, 1)
    assert states[2].error
    assert 0 <= states[2].retry_in <= 0.1


async def test_a_limit_after_a_lost_connection_is_waited_out() -> None:
    """The server may still count the lost stream, so the SDK retries; a limit on the first stream is raised at once."""

    async def interrupted(stream: Stream) -> None:
        await stream.open()
        await stream.events(1)
        await stream.fail(grpc.StatusCode.UNAVAILABLE)

    async def refused(stream: Stream) -> None:
        await refuse(stream, code_pb2.RESOURCE_EXHAUSTED, "LIMIT_REACHED", "too many")

    async with scripted(interrupted, refused, whole_log) as server, Client(server.address) as client:
        assert await sequences(client.watch("j")) == [1, 2, 3, 4, 5]
    async with scripted(refused) as server, Client(server.address) as client:
        with pytest.raises(ServiceError, match="too many"):
            await anext(client.watch("j"))
    assert len(server.requests) == 1


async def test_the_end_of_a_later_job_with_the_id_is_not_that_of_the_watched_one() -> None:
    """It may have as many events: the epoch tells them apart."""

    async def at_the_head(stream: Stream) -> None:
        await stream.open(head=5)
        await stream.caught_up(5)

    async def replaced(stream: Stream) -> None:
        await refuse(stream, code_pb2.FAILED_PRECONDITION, "EPOCH_CHANGED", "another job")

    async with scripted(at_the_head, replaced) as server, Client(server.address) as client:
        server.job = Job(job_id="j", epoch="other", last_sequence=5, state=JobState.JOB_STATE_SUCCEEDED)
        with pytest.raises(EpochChanged):
            await sequences(client.watch("j", after=5, epoch="e"))


async def refuse(stream: Stream, code: int, reason: str, text: str) -> None:
    """As the contract says."""
    detail = Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason=reason, domain="milepost.v1"))
    status = status_pb2.Status(code=code, message=text, details=[detail])
    await stream.context.abort_with_status(rpc_status.to_status(status))


async def ahead(stream: Stream) -> None:
    """A node that has not read as far as the cursor."""
    await refuse(stream, code_pb2.OUT_OF_RANGE, "SEQUENCE_AHEAD", "ahead of the head")


async def test_a_node_that_lags_is_waited_for() -> None:
    """It has the log of the cursor's epoch, and has yet to read what another node has sent. Events come once."""

    async def interrupted(stream: Stream) -> None:
        await stream.open(head=5)
        await stream.events(1, 2)
        await stream.fail(grpc.StatusCode.UNAVAILABLE)

    async with scripted(interrupted, ahead, ahead, whole_log) as server, Client(server.address) as client:
        states: list[Connection] = []
        watch = client.watch("j", on_state=states.append)
        assert await sequences(watch) == [1, 2, 3, 4, 5]
        later = client.watch("j", after=3, epoch="e")
        assert await sequences(later) == [4, 5]
    assert [(request.after_sequence, request.epoch) for request in server.requests] == [
        (0, ""),
        *[(2, "e")] * 3,
        (3, "e"),
    ]
    assert [state.state for state in states] == ["connecting", "live", *["reconnecting"] * 3, "live"]


async def test_each_lag_is_waited_for_by_itself() -> None:
    """From a stream that opens to the next: what lagged before does not count, and other errors do not hide it."""
    lag = NodeLag(30.0)
    ahead, away = SequenceAhead("ahead of the head"), Unreachable("server:1")
    later = [lag.may_pass(error, "e", now) for error, now in [(ahead, 0.0), (away, 20.0), (ahead, 31.0)]]

    async def cut(stream: Stream) -> None:
        await stream.open(head=5)
        await stream.events(1, 2)

    async with scripted(cut, whole_log) as server, Client(server.address) as client:
        watch = client.watch("j")
        watch._lag = lag
        assert await sequences(watch) == [1, 2, 3, 4, 5]
    assert (later, lag.may_pass(ahead, "e", 600.0)) == ([True, False, False], True)


@pytest.mark.parametrize(("epoch", "timeout"), [("", 30.0), ("e", 0.0)])
async def test_a_cursor_that_stays_ahead_is_raised(epoch: str, timeout: float) -> None:
    """At once without an epoch, by which the number could be of any log, and else after the client's timeout."""
    async with scripted(ahead) as server, Client(server.address, timeout=30.0) as client:
        watch = client.watch("j", after=9, epoch=epoch)
        watch._lag = NodeLag(timeout)
        with pytest.raises(SequenceAhead, match="ahead of the head"):
            await sequences(watch)
    assert len(server.requests) == 1


async def test_following_gets_over_events_that_are_not_kept() -> None:
    """`follow` continues with the job's state; a watch raises the gap."""

    async def trimmed(stream: Stream) -> None:
        await refuse(stream, code_pb2.OUT_OF_RANGE, "SEQUENCE_TRIMMED", "gone")

    async def running(stream: Stream) -> None:
        await stream.open(cursor=2, head=2)
        await stream.snapshot(2)
        await trimmed(stream)

    async def done(stream: Stream) -> None:
        await stream.open(cursor=9, head=9)
        await stream.snapshot(9, JobState.JOB_STATE_SUCCEEDED)

    async with scripted(running, done, trimmed) as server, Client(server.address) as client:
        assert [job.last_sequence async for job in client.follow("j")] == [2, 9]
        with pytest.raises(SequenceTrimmed):
            await anext(client.watch("j"))
    assert [request.WhichOneof("start") for request in server.requests] == [
        "from_snapshot",
        "from_snapshot",
        "after_sequence",
    ]


@pytest.mark.parametrize("code", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.DATA_LOSS])
async def test_other_statuses_are_raised_at_once(code: grpc.StatusCode) -> None:
    """A retry would not help, also not after a good stream."""

    async def refused(stream: Stream) -> None:
        await stream.fail(code, "no")

    async def later(stream: Stream) -> None:
        await stream.open()
        await stream.events(1)
        await stream.fail(code, "no")

    for script in (refused, later):
        async with scripted(script) as server, Client(server.address) as client:
            with pytest.raises(
                PermissionDenied if code is grpc.StatusCode.PERMISSION_DENIED else ServiceError
            ):
                await sequences(client.watch("j"))
        assert len(server.requests) == 1


@pytest.mark.parametrize("next_event", [2, 4])
async def test_a_server_that_skips_or_repeats_is_found_out(next_event: int) -> None:
    """Only the next event is yielded."""

    async def wrong(stream: Stream) -> None:
        await stream.open()
        await stream.events(1, 2)
        await stream.events(next_event)
        await stream.hang()

    async with scripted(wrong) as server, Client(server.address) as client:
        watch = client.watch("j")
        assert [(await anext(watch)).sequence for _ in range(2)] == [1, 2]
        with pytest.raises(ProtocolError):
            await anext(watch)
        await server.cancelled.wait()


async def test_a_watch_from_the_end_of_an_ended_log_ends() -> None:
    """Its stream has no `job_ended`; the SDK asks whether the job has ended."""

    async def at_the_end(stream: Stream) -> None:
        await stream.open(head=5)
        await stream.caught_up(5)

    async with scripted(at_the_end) as server, Client(server.address) as client:
        server.job = Job(job_id="j", epoch="e", state=JobState.JOB_STATE_SUCCEEDED, last_sequence=5)
        assert await sequences(client.watch("j", after=5)) == []
    async with scripted(at_the_end, at_the_end, nothing_new) as server, Client(server.address) as client:
        server.job = Job(job_id="j", state=JobState.JOB_STATE_RUNNING, last_sequence=5)
        watch = client.watch("j", after=5)
        waiting = asyncio.create_task(anext(watch))
        await server.came(3)  # the stream was interrupted, then
        waiting.cancel()
        await watch.aclose()


async def test_an_unreachable_server_is_reported_in_time() -> None:
    """A watch that never connected gives up after the client's timeout, like a call."""
    async with scripted() as server:
        address = server.address
    async with Client(address, timeout=0.2) as client:
        with pytest.raises(Unreachable, match=address):
            await anext(client.watch("j"))


async def test_a_server_that_comes_up_late_is_found() -> None:
    """Within the timeout the watch keeps trying."""

    async def draining(stream: Stream) -> None:
        await stream.fail(grpc.StatusCode.UNAVAILABLE, "starting")

    async with scripted(draining, draining, draining, whole_log) as server, Client(server.address) as client:
        watch = client.watch("j")
        assert await sequences(watch) == [1, 2, 3, 4, 5]
        assert watch.reconnects == 0
        assert watch.connection.resumed_at is None


async def test_silence_is_a_lost_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that is silent for two and a half status intervals and a margin counts as lost."""
    monkeypatch.setattr(watch_cursor, "_SILENT_MARGIN", -1.5)  # leaves a timeout of a second

    async def falls_silent(stream: Stream) -> None:
        await stream.open(head=5)
        await stream.events(1)
        for _ in range(5):
            await asyncio.sleep(0.3)
            await stream.status(1)
        await stream.hang()

    async with scripted(falls_silent, whole_log) as server, Client(server.address) as client:
        states: list[Connection] = []
        watch = client.watch("j", status_interval=1.0, on_state=states.append)
        assert await sequences(watch) == [1, 2, 3, 4, 5]
        await server.cancelled.wait()
    assert len(server.requests) == 2
    assert "nothing was received" in states[2].error


async def still_cancelled(server: ScriptedServer) -> None:
    """Wait until the server has noticed the cancellation."""
    async with asyncio.timeout(120):
        await server.cancelled.wait()


async def test_closing_a_watch_ends_it_at_the_server() -> None:
    """However it is left: closed, by ``async with``, dropped, or with its client."""
    async with scripted(nothing_new) as server, Client(server.address) as client:
        watch = client.watch("j")
        await anext(watch)
        await watch.aclose()
        await still_cancelled(server)
        assert await sequences(watch) == []

        server.cancelled.clear()
        async with client.watch("j") as left:
            await anext(left)
            await anext(left)
        await still_cancelled(server)

        server.cancelled.clear()
        async for _ in client.watch("j"):
            break
        gc.collect()
        await still_cancelled(server)

        server.cancelled.clear()
        last = client.watch("j")
        await anext(last)
    await still_cancelled(server)
    with pytest.raises(RuntimeError, match="The client is closed"):
        await sequences(last)


async def test_closing_a_watch_wakes_who_waits_for_it() -> None:
    """The iteration ends."""
    async with scripted(nothing_new) as server, Client(server.address) as client:
        watch = client.watch("j")
        assert [(await anext(watch)).sequence for _ in range(2)] == [1, 2]
        waiting = asyncio.create_task(sequences(watch))
        await asyncio.sleep(0)
        await watch.aclose()
        assert await waiting == []


async def test_a_cancelled_wait_loses_nothing() -> None:
    """A wait with a timeout can be repeated on the same stream."""
    go_on = asyncio.Event()

    async def slow(stream: Stream) -> None:
        await stream.open(head=5)
        await stream.events(1)
        await go_on.wait()
        await stream.events(2, 3, 4, 5, end=True)

    async with scripted(slow) as server, Client(server.address) as client:
        watch = client.watch("j")
        assert (await anext(watch)).sequence == 1
        for _ in range(20):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(watch), 0.002)
        go_on.set()
        assert await sequences(watch) == [2, 3, 4, 5]
        assert watch.reconnects == 0
    assert len(server.requests) == 1


@pytest.mark.parametrize("closes_client", [False, True])
async def test_a_wait_for_the_end_of_the_stream_may_be_cut_short(closes_client: bool) -> None:
    """By a timeout of the caller, or as the client is closed: the watch is complete, and nobody gets an error."""

    async def held_open(stream: Stream) -> None:
        await whole_log(stream)
        await stream.hang()

    async with scripted(held_open) as server, Client(server.address) as client:
        watch = client.watch("j")
        got = [(await anext(watch)).sequence for _ in range(5)]
        ending = asyncio.ensure_future(anext(watch, None))
        await asyncio.sleep(0)
        if closes_client:
            await client.close()
        else:
            ending.cancel()
            await asyncio.wait((ending,))
            ending = asyncio.ensure_future(anext(watch, None))
        done, _ = await asyncio.wait((ending,))

    assert got == [1, 2, 3, 4, 5]
    assert [(task.cancelled(), task.cancelled() or task.result()) for task in done] == [(False, None)]


async def test_calls_carry_the_token() -> None:
    """As a bearer token, on calls and on streams."""
    async with scripted(whole_log) as server, Client(server.address, token="secret") as client:
        await client.get("j")
        await sequences(client.watch("j"))
    assert [metadata["authorization"] for metadata in server.metadata] == ["Bearer secret", "Bearer secret"]
    assert all(str(metadata["user-agent"]).startswith("milepost-python/") for metadata in server.metadata)
