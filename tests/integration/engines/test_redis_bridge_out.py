"""`milepost bridge redis --publish` and `--stream`: events of jobs become messages."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.client import PubSub

from milepost.client import Client
from milepost.client._bridge.outbound_bridge import ChannelName, OutboundBridge
from milepost.client._bridge.redis_server import cancellable, redis_client, redis_name
from milepost.client._bridge.redis_writer import AnotherBridge, Outgoing, RedisWriter
from milepost.v1 import Job
from tests.support.command import started
from tests.support.proxy import CuttableProxy
from tests.support.redis_server import RedisServer
from tests.support.rpc import eventually
from tests.support.server import Server


@contextlib.asynccontextmanager
async def writing(
    redis: RedisServer,
    client: Client,
    name: str,
    *,
    publish: str = "",
    max_length: int = 1_000,
    **options: Any,
) -> AsyncIterator[asyncio.Task[None]]:
    """Run a bridge that writes the jobs of a kind to a stream, both called `name`."""
    connection = redis_client(redis.url)
    writer = RedisWriter(
        connection, redis_name(redis.url), state=f"{name}:state", stream=name, max_length=max_length
    )
    channel = ChannelName(publish) if publish else None
    bridge = OutboundBridge(client, writer, channel, kinds=[name], **options)
    task = asyncio.create_task(bridge.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        await connection.aclose()


def entries(redis: RedisServer, name: str) -> list[dict[str, str]]:
    """What the stream has."""
    with redis.client() as client:
        return [fields for _, fields in client.xrange(name)]


async def has_position(redis: RedisServer, name: str) -> None:
    """Wait until the bridge has written where it is."""

    async def known() -> bool:
        with redis.client() as client:
            return bool(client.hget(f"{name}:state", "position"))

    await eventually(known)


async def run_job(client: Client, kind: str, steps: int = 3, **options: Any) -> str:
    """A job with some events; its id."""
    async with client.start(kind, **options) as job:
        for step in range(steps):
            job.log(f"step {step}")
    return job.id


async def whole_log(client: Client, job_id: str) -> list[int]:
    """The sequences of a job's events."""
    async with client.watch(job_id, follow=False) as watch:
        return [event.sequence async for event in watch]


async def ends_written(redis: RedisServer, name: str, count: int) -> list[dict[str, str]]:
    """Wait for the ends of so many jobs; what the stream has then."""

    async def written() -> list[dict[str, str]] | None:
        found = entries(redis, name)
        return found if sum(entry["event"] == "job_ended" for entry in found) >= count else None

    found: list[dict[str, str]] = await eventually(written)
    return found


async def published(heard: PubSub, count: int) -> list[dict[str, str]]:
    """Wait for so many messages."""
    messages: list[dict[str, str]] = []

    async def have_come() -> bool:
        if (message := heard.get_message()) is not None:
            messages.append(message)
        return len(messages) == count

    await eventually(have_come)
    return messages


async def test_a_bridge_that_starts_before_its_server(
    redis_server: RedisServer, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """It waits for it, as each later connection does, and as a bridge that reads does."""
    name = f"out-{uuid.uuid4().hex}"
    with CuttableProxy(server.address) as proxy:
        proxy.refuse()

        async def waits() -> bool:
            return "; trying again until it is back" in caplog.text

        async with Client(proxy.address, timeout=0.5) as far, writing(redis_server, far, name):
            await eventually(waits)
            proxy.allow()
            await has_position(redis_server, name)


async def test_old_channels_and_a_stream(redis_server: RedisServer, client: Client) -> None:
    """Each event is published on the channel of its job, and in the stream with its sequence."""
    name = f"out-{uuid.uuid4().hex}"
    with redis_server.client() as redis, redis.pubsub(ignore_subscribe_messages=True) as heard:
        heard.psubscribe(f"{name}:*")
        async with writing(redis_server, client, name, publish=f"{name}:{{label.old}}"):
            await has_position(redis_server, name)
            job_id = await run_job(client, name, labels={"old": "4711"})
            found = await ends_written(redis_server, name, 1)
        sequences = await whole_log(client, job_id)
        assert [int(entry["sequence"]) for entry in found] == sequences
        assert {entry["job_id"] for entry in found} == {job_id}
        lines = [json.loads(entry["data"]) for entry in found]
        assert [line["event"] for line in lines] == [entry["event"] for entry in found]
        assert lines[0]["data"]["jobSubmitted"]["job"]["kind"] == name
        messages = await published(heard, len(lines))
        assert {message["channel"] for message in messages} == {f"{name}:4711"}
        assert [json.loads(message["data"]) for message in messages] == lines


async def test_the_shape_that_subscribers_expect(redis_server: RedisServer, client: Client) -> None:
    """A function makes what is published of each event, or nothing."""

    def publication(channel: str, event: dict[str, Any]) -> Any:
        if event["event"] == "job_started":
            return "plain text"
        return {"event": "STATUS", "data": {"value": "ended"}} if event["event"] == "job_ended" else None

    name = f"out-{uuid.uuid4().hex}"
    with redis_server.client() as redis, redis.pubsub(ignore_subscribe_messages=True) as heard:
        heard.psubscribe(f"{name}:*")
        async with writing(redis_server, client, name, publish=f"{name}:{{job_id}}", publication=publication):
            await has_position(redis_server, name)
            await run_job(client, name)
            await ends_written(redis_server, name, 1)
            redis.publish(f"{name}:last", "last")
        messages = await published(heard, 3)
    ended = '{"event":"STATUS","data":{"value":"ended"}}'
    assert [message["data"] for message in messages] == ["plain text", ended, "last"]


async def test_a_function_that_fails(
    redis_server: RedisServer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is published of that event; the stream has it, and the bridge goes on."""

    def publication(channel: str, event: dict[str, Any]) -> Any:
        match event["event"]:
            case "job_submitted":
                raise KeyError("title")
            case "job_started":
                return {"set": {1}}
            case "job_ended":
                return "\ud800"
        return None

    name = f"out-{uuid.uuid4().hex}"
    with redis_server.client() as redis, redis.pubsub(ignore_subscribe_messages=True) as heard:
        heard.psubscribe(f"{name}:*")
        async with writing(redis_server, client, name, publish=f"{name}:{{job_id}}", publication=publication):
            await has_position(redis_server, name)
            job_id = await run_job(client, name)
            written = await ends_written(redis_server, name, 1)
        messages = await published(heard, 1)
    assert [message["data"] for message in messages] == ["\\ud800"]
    assert [int(entry["sequence"]) for entry in written] == await whole_log(client, job_id)
    assert [record.getMessage() for record in caplog.records if "not published" in record.getMessage()] == [
        f"a {event} is not published on '{name}:{job_id}'" for event in ("job_submitted", "job_started")
    ]


async def test_a_restart_goes_on(redis_server: RedisServer, client: Client, shared_server: Server) -> None:
    """After SIGKILL and SIGTERM the next command writes what came meanwhile: each event once and in order."""
    name = f"out-{uuid.uuid4().hex}"
    command = ("bridge", "redis", "--stream", name, "--state-key", f"{name}:state", "--kind", name)
    settings = {"MILEPOST_BRIDGE_REDIS_URL": redis_server.url}
    jobs: list[str] = []
    for end in (signal.SIGKILL, signal.SIGTERM):
        async with started(*command, address=shared_server.address, env=settings) as bridge:
            await bridge.says("writing")
            jobs.append(await run_job(client, name))
            await ends_written(redis_server, name, len(jobs))
            bridge.signal(end)
            await bridge.end()
        jobs.append(await run_job(client, name))
    async with writing(redis_server, client, name):
        found = await ends_written(redis_server, name, len(jobs))
    written = {job_id: [int(e["sequence"]) for e in found if e["job_id"] == job_id] for job_id in jobs}
    assert written == {job_id: await whole_log(client, job_id) for job_id in jobs}


async def test_redis_gone_and_back(tmp_path: Path, client: Client) -> None:
    """Events wait for it; each is in the stream once, whatever the answers were that got lost."""
    name = f"out-{uuid.uuid4().hex}"
    with RedisServer(tmp_path / "redis", durable=True) as redis:
        async with writing(redis, client, name):
            await has_position(redis, name)
            jobs = [await run_job(client, name)]
            for stop in (redis.kill, redis.kill, redis.stop):
                # In the middle of batches: the answer to some is lost.
                working = asyncio.create_task(run_job(client, name, 300))
                await asyncio.sleep(0)
                stop()
                redis.start()
                jobs.append(await working)
            found = await ends_written(redis, name, len(jobs))
        written = {job_id: [int(e["sequence"]) for e in found if e["job_id"] == job_id] for job_id in jobs}
        assert written == {job_id: await whole_log(client, job_id) for job_id in jobs}


async def test_an_answer_that_is_lost(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that is written again is in the stream once; the next one follows it."""
    name = f"out-{uuid.uuid4().hex}"
    connection = redis_client(redis_server.url)
    writer = RedisWriter(connection, "redis", state=f"{name}:state", stream=name, max_length=10)
    await writer.take_over()
    calls: list[int] = []
    script = writer._write_script

    async def loses_the_first_answer(*arguments: Any) -> Any:
        answer = await script(*arguments)
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionResetError
        return answer

    monkeypatch.setattr(writer, "_write_script", loses_the_first_answer)
    for number in (1, 2):
        await writer.write([outgoing(str(number))], "epoch", number)
    assert [entry["data"] for entry in entries(redis_server, name)] == ["1", "2"]
    assert len(calls) == 3
    assert await writer.take_over() == ("epoch", 2)
    await connection.aclose()


async def test_a_bridge_that_ends_between_a_gap_and_the_next_position(redis_server: RedisServer) -> None:
    """The next one resumes at the last position, in its own epoch, and meets the gap again: in the other epoch that
    position would be an event, and those up to it would be lost.
    """
    name = f"out-{uuid.uuid4().hex}"
    connection = redis_client(redis_server.url)
    writer = RedisWriter(connection, "redis", state=f"{name}:state", stream=name, max_length=10)
    await writer.take_over()
    await writer.write([outgoing("1")], "before", 7)
    for epoch, item in (("", "gap"), ("after", "snapshot")):
        await writer.write([outgoing(item)], epoch, None)

    assert await writer.take_over() == ("before", 7)
    await writer.write([outgoing("2")], "after", 3)
    assert await writer.take_over() == ("after", 3)
    await connection.aclose()


async def test_cancelling_is_not_lost() -> None:
    """A bridge that is to stop does, also where the library of Redis swallows that."""
    called = asyncio.Event()

    async def swallows() -> str:
        called.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "an answer"

    waiting = asyncio.create_task(cancellable(swallows()))
    await called.wait()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()


async def test_two_bridges_with_one_state(redis_server: RedisServer, client: Client) -> None:
    """The one that started later writes; the earlier one ends."""
    name = f"out-{uuid.uuid4().hex}"
    async with writing(redis_server, client, name) as earlier:
        await has_position(redis_server, name)
        async with writing(redis_server, client, name):
            job_id = await run_job(client, name)
            found = await ends_written(redis_server, name, 1)
            with pytest.raises(AnotherBridge):
                await earlier
    assert [int(entry["sequence"]) for entry in found] == await whole_log(client, job_id)


async def test_milepost_gone_and_back(redis_server: RedisServer, server: Server) -> None:
    """The bridge goes on after its last event."""
    name = f"out-{uuid.uuid4().hex}"
    async with Client(server.address) as client, writing(redis_server, client, name, from_start=True):
        jobs = [await run_job(client, name)]
        server.kill()
        server.restart()
        jobs.append(await run_job(client, name))
        found = await ends_written(redis_server, name, 2)
        written = {job_id: [int(e["sequence"]) for e in found if e["job_id"] == job_id] for job_id in jobs}
        assert written == {job_id: await whole_log(client, job_id) for job_id in jobs}


async def test_the_stream_is_capped(redis_server: RedisServer, client: Client) -> None:
    """Redis trims it, about, to the length that it may have."""
    name = f"out-{uuid.uuid4().hex}"
    async with writing(redis_server, client, name, max_length=100):
        await has_position(redis_server, name)
        await run_job(client, name, 1_000)
        found = await ends_written(redis_server, name, 1)
    assert len(found) < 400
    assert found[-1]["event"] == "job_ended"


def test_names_of_channels() -> None:
    """Fields of the job; a job that lacks one has no channel."""
    job = Job(job_id="j", kind="k", owner="", labels={"a.b/c": "4711"})
    names = {
        "x:{job_id}": "x:j",
        "{kind}:{label.a.b/c}": "k:4711",
        "{owner}": "",
        "{label.gone}:x": "",
        "x": "x",
    }
    assert {template: ChannelName(template).of(job) for template in names} == names


def outgoing(data: str) -> Outgoing:
    """An item for the stream only."""
    return Outgoing("", "", "log_written", "job", 1, data)
