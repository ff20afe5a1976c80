"""`milepost bridge redis --channel`: messages of existing channels become reports."""

from __future__ import annotations

import contextlib
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from milepost.client import Client, JobSnapshot
from milepost.client._bridge import inbound_bridge
from milepost.client._bridge.inbound_bridge import BRIDGED_ID_LABEL, DECODED_SIZE, MESSAGE_SIZE
from milepost.client._bridge.mapping_source import find_mapping
from milepost.client._bridge.message_mapping import JobRules
from milepost.contract.limits import MIB
from milepost.v1 import Dispatch, JobState
from tests.support.redis_bridge import bridging, events_of, job_of, logged, rules, subscribed
from tests.support.redis_server import RedisServer
from tests.support.rpc import eventually
from tests.support.server import Server


async def test_progress_of_job_and_stages(redis_server: RedisServer, client: Client) -> None:
    """A percentage of the whole is the job's fraction; each stage has its own, and ends as the next one starts.

    One beyond 100 changes nothing.
    """
    async with bridging(redis_server, client, find_mapping("progress", JobRules())) as bridge:
        id_ = uuid.uuid4().hex
        bridge.say(id_, type="progress", percentage=10, stage="decode video", sub_progress=0.25)
        bridge.say(id_, type="progress", percentage=500)
        bridge.say(id_, type="progress", percentage=40, stage="render", sub_progress=0.5, message="frame 12")

        async def is_there() -> JobSnapshot | None:
            with contextlib.suppress(Exception):
                job = await client.get(f"progress-{id_}")
                return job if job.fraction == 0.4 and len(job.proto.stages) == 3 else None
            return None

        job = (await eventually(is_there)).proto
        assert job.fraction_known
        assert job.labels[BRIDGED_ID_LABEL] == id_
        stages = {stage.stage_id: stage for stage in job.stages}
        assert [stages[name].fraction for name in ("overall", "render")] == [0.4, 0.5]
        assert stages["decode-video"].title == "decode video"
        assert stages["render"].message == "frame 12"
        bridge.say(id_, type="complete", result={"frames": 30})
        assert await client.result(job.job_id, timeout=120) == {"frames": 30}


async def test_stages_that_nobody_planned(redis_server: RedisServer, client: Client) -> None:
    """A job whose stages come one by one is not full while it runs, also when each of them is complete."""
    stages = {"stage": "{stage}", "stage_fraction": "{part}", "end": "{end}"}
    mapping = rules(sequential=True, message=[stages])
    async with bridging(redis_server, client, mapping) as bridge:
        for number, stage in enumerate(("read", "write"), 1):
            bridge.say("1", stage=stage, part=1)

            async def is_full(number: int = number) -> JobSnapshot | None:
                jobs = [job async for job in client.list(kinds=[mapping.job_rules.kind])]
                shown = [s.fraction for job in jobs for s in job.proto.stages]
                return jobs[0] if shown == [1.0] * number else None

            job: JobSnapshot = await eventually(is_full)
            assert job.state == JobState.JOB_STATE_RUNNING
            assert not job.fraction_known
            assert job.fraction < 1.0
        bridge.say("1", end="succeeded")
        await job_of(client, mapping.job_rules.kind, state=JobState.JOB_STATE_SUCCEEDED)


async def test_events_and_ends(redis_server: RedisServer, client: Client) -> None:
    """The shape of events: states are stages, others are events of the application, an error fails the job."""
    async with bridging(redis_server, client, find_mapping("status", JobRules())) as bridge:
        id_ = uuid.uuid4().hex
        bridge.say(id_, event="STATUS", data={"value": "processing"})
        bridge.say(id_, event="TOPIC", data={"title": "Tea"})
        bridge.say(id_, event="STATUS", data={"value": "error", "message": "no audio"})

        async def ended() -> JobSnapshot | None:
            with contextlib.suppress(Exception):
                job = await client.get(f"status-{id_}")
                return job if job.proto.HasField("end_time") else None
            return None

        job = (await eventually(ended)).proto
        assert (job.state, job.failure.code, job.failure.message) == (
            JobState.JOB_STATE_FAILED,
            "FAILED",
            "no audio",
        )
        customs = [e.custom for e in await events_of(client, job.job_id) if e.HasField("custom")]
        assert [(custom.type, custom.json["title"]) for custom in customs] == [("TOPIC", "Tea")]


async def test_malformed_messages_change_nothing(
    redis_server: RedisServer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor do messages of ended jobs; the log counts them, by reason, and has none of their content."""
    mapping = rules()
    kind = mapping.job_rules.kind
    async with bridging(redis_server, client, mapping) as bridge:
        with redis_server.client() as redis:
            for payload in (b"secret", b"\xff\xfe", b"[" * 100_000, b'"' + b"s" * (1 << 20) + b'"', b"NaN"):
                redis.publish(f"{bridge.name}:1", payload)
        bridge.say("1", percent="much")
        bridge.say("1", percent=50)
        job = await job_of(client, kind, fraction=0.5)
        bridge.say("1", end="succeeded")
        await client.result(job.job_id, timeout=120)
        bridge.say("1", percent=70)
        bridge.say("2", percent=10)
        assert len([job async for job in client.list(kinds=[kind])]) >= 1

        async def both() -> bool:
            return len([job async for job in client.list(kinds=[kind])]) == 2

        await eventually(both)
    counted = [
        record.getMessage() for record in caplog.records if "messages not reported: " in record.getMessage()
    ]
    assert any("it is not JSON" in line for line in counted)
    assert any("has more than 1,024 KiB" in line for line in counted)
    assert any("percent is not a number" in line for line in counted)
    assert any("their job has ended" in line for line in counted)
    assert "secret" not in caplog.text
    assert "much" not in caplog.text


@pytest.mark.parametrize("size", [MESSAGE_SIZE, DECODED_SIZE - 1000])
async def test_a_last_message_that_is_too_large(redis_server: RedisServer, client: Client, size: int) -> None:
    """It ends the job without its result, and the job's log says so."""
    mapping = rules()
    async with bridging(redis_server, client, mapping) as bridge:
        bridge.say("1", percent=5)
        job = await job_of(client, mapping.job_rules.kind, fraction=0.05)
        bridge.say("1", end="succeeded", result={"text": "x" * size}, log="left out")
        job = await job_of(client, mapping.job_rules.kind, state=JobState.JOB_STATE_SUCCEEDED)
        assert not job.proto.HasField("result")
        said = f"A message of {size / MIB:.1f} MiB is reported without its result, log lines and events"
        assert await logged(client, job.job_id) == [f"{said}: it has more than 1,024 KiB."]


async def test_a_message_too_large_to_decode(
    redis_server: RedisServer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Its job is unknown: it is counted, and changes nothing."""
    mapping = rules()
    async with bridging(redis_server, client, mapping) as bridge:
        bridge.say("1", end="succeeded", result={"text": "x" * DECODED_SIZE})
        bridge.say("1", percent=5)
        await job_of(client, mapping.job_rules.kind, state=JobState.JOB_STATE_RUNNING, fraction=0.05)
    assert any("it has more than 8,192 KiB" in record.getMessage() for record in caplog.records)


async def test_jobs_that_exist(redis_server: RedisServer, client: Client) -> None:
    """Without a kind the messages have the ids of jobs; unknown ids are refused once, and ignored then."""
    async with bridging(redis_server, client, rules(kind="")) as bridge:
        job_id = (await client.submit("convert", dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id
        bridge.say("unknown", percent=1)
        bridge.say("unknown", percent=2)
        bridge.say(job_id, percent=5)
        bridge.say(job_id, end="succeeded", result={"pages": 3})
        assert await client.result(job_id, timeout=120) == {"pages": 3}


async def test_a_job_without_messages_fails(redis_server: RedisServer, client: Client) -> None:
    """After the idle time of its mapping, so that no job runs for ever."""
    mapping = rules(idle="300ms")
    async with bridging(redis_server, client, mapping) as bridge:
        bridge.say("1", percent=5)
        job = await job_of(client, mapping.job_rules.kind, state=JobState.JOB_STATE_FAILED)
        assert job.proto.failure.code == "IDLE"
        assert job.proto.attempt == 1


async def test_cancelled_by_its_application(redis_server: RedisServer, client: Client) -> None:
    """The job is CANCELLED, and says by whom."""
    mapping = rules()
    async with bridging(redis_server, client, mapping) as bridge:
        bridge.say("1", percent=5)
        bridge.say("1", end="cancelled")
        job = await job_of(client, mapping.job_rules.kind, state=JobState.JOB_STATE_CANCELLED)
        assert job.proto.cancellation.reason == "Its application has cancelled it."


async def test_cancelled_in_milepost(redis_server: RedisServer, client: Client) -> None:
    """The application is asked to stop, and its last word is how the job ends."""
    control = uuid.uuid4().hex
    mapping = rules(cancel={"channel": f"{control}:{{id}}", "message": {"type": "cancel", "id": "{id}"}})
    async with bridging(redis_server, client, mapping) as bridge:
        with redis_server.client() as redis, redis.pubsub(ignore_subscribe_messages=True) as asked:
            asked.subscribe(f"{control}:1")
            bridge.say("1", percent=5)
            job = await job_of(client, mapping.job_rules.kind, fraction=0.05)
            await client.cancel(job.job_id)

            async def message() -> Any:
                return asked.get_message(timeout=0.01)

            assert json.loads((await eventually(message))["data"]) == {"type": "cancel", "id": "1"}
            bridge.say("1", percent=50)
            bridge.say("1", end="cancelled")
            await job_of(client, mapping.job_rules.kind, state=JobState.JOB_STATE_CANCELLED, fraction=0.5)


async def test_an_application_that_cannot_be_asked(redis_server: RedisServer, client: Client) -> None:
    """The job ends, and its log says that the work may go on."""
    mapping = rules()
    async with bridging(redis_server, client, mapping) as bridge:
        bridge.say("1", percent=5)
        job = await job_of(client, mapping.job_rules.kind, fraction=0.05)
        await client.cancel(job.job_id)
        await job_of(client, mapping.job_rules.kind, state=JobState.JOB_STATE_CANCELLED)
        assert any("may go on" in line for line in await logged(client, job.job_id))


async def test_redis_gone_and_back(tmp_path: Path, client: Client) -> None:
    """The bridge reads on once it is back, and the log of the job says that something may be missing."""
    mapping = rules()
    with RedisServer(tmp_path / "redis", password="p/w @") as redis:
        async with bridging(redis, client, mapping) as bridge:
            bridge.say("1", percent=5)
            job = await job_of(client, mapping.job_rules.kind, fraction=0.05)
            redis.kill()
            redis.start()
            await subscribed(redis, bridge.name)
            bridge.say("1", percent=50)
            await job_of(client, mapping.job_rules.kind, fraction=0.5)
            assert any(
                line.startswith("Messages may be missing") for line in await logged(client, job.job_id)
            )


async def test_redis_that_does_not_answer(tmp_path: Path, client: Client) -> None:
    """A connection over which nothing comes is given up."""
    mapping = rules()
    with RedisServer(tmp_path / "redis") as redis:
        async with bridging(redis, client, mapping, ping_interval=0.2) as bridge:
            bridge.say("1", percent=5)
            job = await job_of(client, mapping.job_rules.kind, fraction=0.05)
            redis.pause()

            async def noticed() -> bool:
                return not bridge.reader.is_reading

            await eventually(noticed)
            redis.go_on()
            await subscribed(redis, bridge.name)

            async def said() -> bool:
                return any("may be missing" in line for line in await logged(client, job.job_id))

            await eventually(said)


async def test_milepost_gone_and_back(redis_server: RedisServer, server: Server) -> None:
    """What is published meanwhile, the first message of a job and the last one of another, arrives afterwards."""
    mapping = rules()
    kind = mapping.job_rules.kind
    async with Client(server.address) as client, bridging(redis_server, client, mapping) as bridge:
        bridge.say("1", percent=5)
        first = await job_of(client, kind, fraction=0.05)
        server.kill()
        bridge.say("1", percent=60, log="while it was away")
        bridge.say("1", end="succeeded", result={"n": 1})
        bridge.say("2", percent=30)

        async def received() -> bool:
            return bridge.inbound.job_count == 2

        await eventually(received)
        server.restart()
        assert await client.result(first.job_id, timeout=120) == {"n": 1}
        assert "while it was away" in await logged(client, first.job_id)

        async def second() -> bool:
            jobs = [job async for job in client.list(kinds=[kind])]
            return sorted(job.fraction for job in jobs) == [0.3, 1.0]

        await eventually(second)


async def test_memory_is_bounded(
    redis_server: RedisServer, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Milepost is away, lines and events beyond the bound are dropped and counted; progress and ends are not."""
    monkeypatch.setattr(inbound_bridge, "BUFFER_SIZE", 100_000)
    mapping = rules()
    async with Client(server.address) as client, bridging(redis_server, client, mapping) as bridge:
        bridge.say("1", percent=5)
        job = await job_of(client, mapping.job_rules.kind, fraction=0.05)
        server.kill()
        before = bridge.inbound.received
        with redis_server.client() as redis:
            for number in range(200):
                redis.publish(f"{bridge.name}:1", json.dumps({"percent": number / 4, "log": "x" * 10_000}))
        bridge.say("1", end="succeeded")

        async def all_received() -> bool:
            return bridge.inbound.received == before + 201

        await eventually(all_received)
        assert bridge.inbound.buffered < 150_000
        server.restart()
        await client.result(job.job_id, timeout=120)
        lines = await logged(client, job.job_id)
        dropped = 200 - sum(line.startswith("x") for line in lines)
        assert 150 < dropped < 200
        assert any(line.startswith(f"{dropped} messages were dropped") for line in lines)


async def test_more_jobs_than_allowed(redis_server: RedisServer, client: Client) -> None:
    """Messages of further ones are dropped, until another one ends."""
    mapping = rules()
    kind = mapping.job_rules.kind
    async with bridging(redis_server, client, mapping, max_jobs=1) as bridge:
        bridge.say("1", percent=5)
        first = await job_of(client, kind, fraction=0.05)
        bridge.say("2", percent=10)
        bridge.say("1", end="succeeded")
        await client.result(first.job_id, timeout=120)

        async def has_room() -> bool:
            return bridge.inbound.job_count == 0

        await eventually(has_room)
        assert len([job async for job in client.list(kinds=[kind])]) == 1
        bridge.say("3", percent=10)

        async def third() -> bool:
            return len([job async for job in client.list(kinds=[kind])]) == 2

        await eventually(third)
