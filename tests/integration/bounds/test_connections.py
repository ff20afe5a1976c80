"""The limits of one connection, and how the SDK stays within them."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from bench.abuse.raw_http2 import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    Connection,
    SilentConnection,
    header,
    message,
    request_headers,
)
from milepost.client import Client
from milepost.client._transport import channel as sdk
from milepost.client.errors import Unreachable
from milepost.contract.limits import CUSTOM_SIZE, INPUT_SIZE, REQUEST_SIZE
from milepost.server.rpc import call_starts, floods
from milepost.server.rpc.metadata_limit import METADATA_SIZE
from milepost.server.runtime.grpc_server.grpc_options import CONCURRENT_STREAMS
from milepost.server.runtime.server import Server
from milepost.v1 import Custom, Dispatch, GetJobRequest, ReportJobRequest, Update
from tests.support.bad_requests import struct
from tests.support.flooding import flood_with_metadata, flood_with_resets
from tests.support.forking import Forkery
from tests.support.refused import refused
from tests.support.rpc import connect, eventually
from tests.support.server import ServerProcess

_WORK = "/milepost.v1.WorkerService/Work"
_GET_JOB = "/milepost.v1.JobService/GetJob"


async def test_a_stream_beyond_the_limit_of_its_connection_is_refused(
    tmp_path: Path, forkery: Forkery
) -> None:
    """Also if earlier streams were reset at once; other connections have their own limit."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        async with Connection.open(server.address) as connection:
            block = request_headers(_WORK, server.address)
            streams = [connection.new_stream() for _ in range(CONCURRENT_STREAMS + 1)]
            for stream in streams:
                connection.write(HEADERS, END_HEADERS, stream, block)

            async def is_refused() -> bool:
                return bool(connection.reset)

            await eventually(is_refused)
            assert connection.reset == {streams[-1]}
            async with connect(server.address) as rpc:
                assert (await rpc.submit()).job_id


@pytest.mark.nightly
async def test_settings_have_to_be_acknowledged(tmp_path: Path, forkery: Forkery) -> None:
    """A connection that does not is closed, as the limits of metadata do not hold strictly before; others stay."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        async with Connection.open(server.address) as other, SilentConnection.open(server.address) as silent:
            async with asyncio.timeout(120):
                await silent.closed.wait()
            assert not other.closed.is_set()


class LateConnection(Connection):
    """One that answers a ping when it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self.ping: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def answer(self) -> None:
        """Answer the first ping."""
        self.write(PING, ACK, 0, await self.ping)

    def _note(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind != PING:
            super()._note(kind, flags, stream, payload)
        elif not self.ping.done():
            self.ping.set_result(payload)


@pytest.mark.nightly
async def test_a_client_that_stands_still_keeps_its_connection(tmp_path: Path, forkery: Forkery) -> None:
    """As one whose process gets no processor for twelve seconds; one that never answers a ping is cut off."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        async with (
            LateConnection.open(server.address) as late,
            LateConnection.open(server.address) as dead,
            asyncio.timeout(240),
        ):
            await asyncio.gather(late.ping, dead.ping)
            await asyncio.sleep(12)  # the fault itself
            await late.answer()
            await dead.closed.wait()
            assert not late.closed.is_set()


async def test_metadata_beyond_the_limit_is_refused(tmp_path: Path, forkery: Forkery) -> None:
    """Always, and whichever field holds it."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        async with connect(server.address) as rpc:
            request = GetJobRequest(job_id="j")
            fits = rpc.jobs.GetJob(request, metadata=(("x-note", "x" * (METADATA_SIZE - 1_000)),))
            assert (await refused(fits)).code == "NOT_FOUND"
            for _ in range(20):
                too_large = rpc.jobs.GetJob(request, metadata=(("x-note", "x" * METADATA_SIZE),))
                with pytest.raises(grpc.aio.AioRpcError) as raised:
                    await too_large
                assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_metadata_is_limited_before_settings_are_acknowledged(tmp_path: Path, forkery: Forkery) -> None:
    """The server itself refuses what core has let in: without a message, and with the reason in its log."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        async with SilentConnection.open(server.address) as silent:
            block = request_headers(_GET_JOB, server.address) + header("x-note", b"x" * METADATA_SIZE)
            for _ in range(20):
                stream = silent.new_stream()
                silent.write(HEADERS, 0, stream, block[:1_000])
                silent.write(CONTINUATION, END_HEADERS, stream, block[1_000:])

            async def are_refused() -> bool:
                return len(_calls(server)) == 20

            await eventually(are_refused)
            assert {(call["code"], call["reason"]) for call in _calls(server)} == {
                ("RESOURCE_EXHAUSTED", "LIMIT_REACHED")
            }


async def test_a_host_that_floods_with_metadata_loses_those_connections(
    tmp_path: Path, forkery: Forkery
) -> None:
    """Its other connections go on, and the log names it."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        beside = Connection.open(server.address, from_host="127.0.0.2")
        async with beside as other, connect(server.address) as rpc:
            await flood_with_metadata(server.address, "127.0.0.2", _GET_JOB)
            stream = other.new_stream()
            other.write(HEADERS, END_HEADERS, stream, request_headers(_GET_JOB, server.address))
            other.write(DATA, END_STREAM, stream, message(b""))

            async def is_answered() -> bool:
                return stream in other.ended

            await eventually(is_answered)
            assert not other.closed.is_set()
            assert (await rpc.submit()).job_id
            floods = [line for line in server.log() if line["event"] == "host floods with metadata"]
            assert {line["host"] for line in floods} == {"ipv4:127.0.0.2"}


async def test_resets_hide_no_flood_of_metadata(
    memory_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls that are reset while they wait to begin count with their metadata: none but the first two begin here."""
    readings = count(step=600.0)
    monkeypatch.setattr(call_starts, "thread_time", lambda: next(readings))
    monkeypatch.setattr(call_starts, "LONGEST_REST", 600.0)

    with capture_logs() as lines:
        await flood_with_metadata(memory_server.address, "127.0.0.2", _GET_JOB, resets=True)
    assert "host floods with metadata" in [line["event"] for line in lines]


async def test_a_host_that_leaves_its_calls_at_once_loses_that_connection(
    memory_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So resets in the packets that open the calls end; its other connections go on."""
    monkeypatch.setattr(floods, "LEFT_CALLS", 20)
    monkeypatch.setattr(floods, "FLOOD_PERIOD", 600.0)
    async with connect(memory_server.address) as rpc:
        assert (await rpc.submit()).job_id
        await flood_with_resets(memory_server.address, "127.0.0.2", _WORK)
        assert memory_server.call_count > 1 + 20
        assert (await rpc.submit()).job_id


async def test_a_call_that_is_left_is_as_old_as_since_the_server_got_to_it(
    memory_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is one of the connection that opened it.

    A call that reads nothing: of one that waits for a message, grpc.aio may report first that the client sends no more.
    """
    left: list[tuple[str, float]] = []
    monkeypatch.setattr(floods.Floods, "note_left", lambda _self, *noted: left.append(noted))

    async def is_left() -> bool:
        return bool(left)

    opened = time.monotonic()
    async with connect(memory_server.address) as rpc:
        job = await rpc.submit()
        watch = rpc.watch(job.job_id)
        await watch.read()
        served = time.monotonic()
        await asyncio.sleep(0.01)
        leaving = time.monotonic()
        watch.cancel()
        await eventually(is_left)
    ((peer, seconds),) = left
    assert leaving - served <= seconds <= time.monotonic() - opened
    assert peer.startswith("ipv4:127.0.0.1:")


async def test_large_requests_one_after_another_are_no_flood(tmp_path: Path, forkery: Forkery) -> None:
    """A client that sends the largest inputs and reports without a pause is never refused, nor loses its connection."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        async with connect(server.address) as rpc:
            async with rpc.session() as session:
                await rpc.submit()
                job, token = await session.take()
            text = "x" * (INPUT_SIZE - 100)
            large = [Update(custom=Custom(type="t", json=struct({"x": "x" * (CUSTOM_SIZE - 100)})))] * 15
            for number in range(5):
                await rpc.submit(input=struct({"x": text}))
                first = 1 + number * len(large)
                report = ReportJobRequest(
                    job_id=job.job_id, lease_token=token, first_report_sequence=first, updates=large
                )
                assert report.ByteSize() > REQUEST_SIZE * 0.9
                await rpc.workers.ReportJob(report)

        calls = [call for call in _calls(server) if call["method"] != _WORK]
        assert {call["code"] for call in calls} == {"OK"}
        assert len({call["peer"] for call in calls}) == 1
        assert len(calls) == 11


@pytest.mark.nightly
async def test_uploads_beside_a_flood_of_their_host_are_cut_at_worst(
    tmp_path: Path, forkery: Forkery
) -> None:
    """What shuts down the flood's connections may take an upload's for one of them; repeated, it is one job."""
    text = "x" * (INPUT_SIZE - 100)
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        async with Client(server.address) as client:

            async def upload(number: int) -> str:
                while True:
                    with suppress(Unreachable):
                        return (await client.submit("k", {"x": text}, request_id=f"r{number}")).job_id

            flooding = asyncio.create_task(flood_with_metadata(server.address, "127.0.0.1", _GET_JOB))
            uploaded = [await upload(number) for number in range(5)]
            await flooding
            again = [await upload(number) for number in range(6)]
            listed = {job.job_id async for job in client.list()}
        assert again[:5] == uploaded
        assert listed == set(again)
        assert len(listed) == 6


async def test_calls_do_not_wait_behind_those_of_other_methods(tmp_path: Path, forkery: Forkery) -> None:
    """A submission is served before thousands of calls of another method that arrived before it."""
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        async with connect(server.address) as rpc, AsyncExitStack() as flooding:
            await rpc.submit()
            block = request_headers(_GET_JOB, server.address)
            floods = [await flooding.enter_async_context(Connection.open(server.address)) for _ in range(5)]
            for connection in floods:
                for _ in range(CONCURRENT_STREAMS):
                    stream = connection.new_stream()
                    connection.write(HEADERS, END_HEADERS, stream, block)
                    connection.cancel(stream)
            await rpc.submit()
            methods = [call["method"].rpartition("/")[2] for call in _calls(server)]
            # The server goes on with the others while the test learns of the answer.
            first, second = (at for at, method in enumerate(methods) if method == "SubmitJob")
            assert second - first < len(floods) * CONCURRENT_STREAMS / 2


def _calls(server: ServerProcess) -> list[dict[str, Any]]:
    """The access lines so far."""
    return [line for line in server.log() if line["event"] == "call"]


async def test_more_calls_than_a_connection_takes_open_another(
    tmp_path: Path, forkery: Forkery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No call waits for another; a connection with room is used before a new one opens."""
    assert 2 * sdk.STREAMS_PER_CONNECTION <= CONCURRENT_STREAMS
    monkeypatch.setattr(sdk, "STREAMS_PER_CONNECTION", 3)
    with ServerProcess(tmp_path / "data", forkery=forkery) as server:
        async with connect(server.address) as rpc, Client(server.address) as client:
            job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
            watches = [client.watch(job.job_id) for _ in range(7)]
            for watch in watches:
                await watch.opened()
            channels = [connection.channel for connection in client._channel._connections]

            def calls() -> list[int]:
                by_channel = {made.channel: len(made.calls) for made in client._channel._connections}
                return [by_channel[channel] for channel in channels]

            assert calls() == [3, 3, 1]
            await watches[0].aclose()
            watches += [client.watch(job.job_id) for _ in range(3)]
            for watch in watches[-3:]:
                await watch.opened()
            assert calls() == [3, 3, 3]
            assert len(client._channel._connections) == 3
            for watch in watches:
                await watch.aclose()
