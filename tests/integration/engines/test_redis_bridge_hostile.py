"""Messages, mappings and channels that a bridge does not expect: it reads on, and reports the others."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pytest

from milepost.client import Client
from milepost.client._bridge import job_writer
from milepost.client._bridge.message_mapping import FunctionMapping, JobRules
from milepost.client._bridge.redis_server import redis_client
from milepost.client._bridge.redis_subscriber import RedisSubscriber
from milepost.v1 import JobState
from tests.support.redis_bridge import bridging, events_of, job_of, rules, subscribed
from tests.support.redis_server import RedisServer
from tests.support.rpc import eventually

LONE = "\ud800"
"""Text that JSON can have and UTF-8 cannot."""


async def one_succeeded(client: Client, kind: str) -> None:
    """Wait until a job of the kind has succeeded."""

    async def ended() -> bool:
        jobs = [job async for job in client.list(kinds=[kind])]
        return any(job.state == JobState.JOB_STATE_SUCCEEDED for job in jobs)

    await eventually(ended)


@pytest.mark.parametrize(
    "message",
    [
        {"id": LONE, "percent": 5},
        {"id": {LONE: LONE}, "percent": 5},
        {"id": "1", **dict.fromkeys(("stage", "message", "log", "event", "failure", "end"), LONE)},
        {"id": "1", "event": "x", "data": {LONE: [LONE]}},
        {"id": "1", "end": {"secret": 1}},
    ],
    ids=["id", "id of another type", "texts", "data", "end"],
)
async def test_the_bridge_reads_on(
    redis_server: RedisServer, client: Client, message: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """No message ends the bridge, and no log line has its content."""
    mapping = rules(id="{id}")
    async with bridging(redis_server, client, mapping) as bridge:
        bridge.say("1", **message)
        bridge.say("1", id="next", end="succeeded")
        await one_succeeded(client, mapping.job_rules.kind)
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("returned", "is_counted"),
    [(5, True), (["id"], True), ({1: 2, "a": 3}, True), ({"id": LONE, "end": "failed"}, False)],
    ids=repr,
)
async def test_functions_that_return_something_else(
    redis_server: RedisServer,
    client: Client,
    returned: Any,
    is_counted: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is no message is counted, one with text that is no Unicode is reported; and the bridge reads on."""

    def function(channel: str, message: Any) -> Any:
        return {"id": "next", "end": "succeeded"} if message == "next" else returned

    mapping = FunctionMapping(function, JobRules(kind=f"kind-{uuid.uuid4().hex}"))
    async with bridging(redis_server, client, mapping) as bridge:
        with redis_server.client() as redis:
            redis.publish(f"{bridge.name}:1", '"something else"')
            redis.publish(f"{bridge.name}:1", '"next"')
        await one_succeeded(client, mapping.job_rules.kind)
    assert is_counted == (f"malformed message on '{bridge.name}:1'" in caplog.text)


async def test_channels_that_match_several_subscriptions(redis_server: RedisServer) -> None:
    """Redis sends a message for each of them; it counts once. Equal messages one after the other are several."""
    name = uuid.uuid4().hex
    got: list[tuple[str, bytes]] = []
    connection = redis_client(redis_server.url)
    channels = [f"{name}:*", f"{name}:1", f"*{name}*", f"{name}:[2]"]
    reader = RedisSubscriber(
        connection, "", channels, lambda *message: got.append(message), lambda seconds: None
    )
    task = asyncio.create_task(reader.run())
    try:

        async def reads() -> bool:
            return reader.is_reading

        await eventually(reads)
        got.clear()
        sent = [("1", "a"), ("1", "a"), ("2", "a"), ("3", "a"), ("3", "b"), ("1", "a"), ("end", "")]
        with redis_server.client() as redis:
            for channel, text in sent:
                redis.publish(f"{name}:{channel}", text)

        async def all_came() -> bool:
            return (f"{name}:end", b"") in got

        await eventually(all_came)
    finally:
        task.cancel()
        await asyncio.wait([task])
        await connection.aclose()
    came = [(channel.removeprefix(f"{name}:"), data.decode()) for channel, data in got if data != b"null"]
    assert came == sent


async def test_stages_without_end(
    redis_server: RedisServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a job whose every message names another stage the bridge keeps about as many as a job may have."""
    monkeypatch.setattr(job_writer, "STAGES", 10)
    mapping = rules()
    async with bridging(redis_server, client, mapping) as bridge:
        for number in range(30):
            bridge.say("1", stage=f"s{number}", stage_percent=5)
        bridge.say("1", end="succeeded")
        job = await job_of(client, mapping.job_rules.kind, state=JobState.JOB_STATE_SUCCEEDED)
    assert len(job.stages) == 11


async def test_a_cancel_while_redis_is_away(tmp_path: Path, client: Client) -> None:
    """The application is asked to stop once Redis is back, and its last word is how the job ends."""
    control = uuid.uuid4().hex
    mapping = rules(cancel={"channel": control, "message": "{id}"})
    with RedisServer(tmp_path / "redis") as redis:
        async with bridging(redis, client, mapping) as bridge:
            bridge.say("1", percent=5)
            job = await job_of(client, mapping.job_rules.kind, fraction=0.05)
            redis.kill()

            async def noticed() -> bool:
                return not bridge.reader.is_reading

            await eventually(noticed)
            await client.cancel(job.job_id)
            await job_of(client, mapping.job_rules.kind, state=JobState.JOB_STATE_CANCELLING)
            redis.start()
            with redis.client() as connection, connection.pubsub(ignore_subscribe_messages=True) as asked:
                asked.subscribe(control)

                async def message() -> Any:
                    return asked.get_message(timeout=0.01)

                assert (await eventually(message))["data"] == "1"
            await subscribed(redis, bridge.name)
            bridge.say("1", end="cancelled", percent=50)
            await job_of(client, mapping.job_rules.kind, state=JobState.JOB_STATE_CANCELLED, fraction=0.5)
    ended = [event.job_ended for event in await events_of(client, job.job_id) if event.HasField("job_ended")]
    assert [end.state for end in ended] == [JobState.JOB_STATE_CANCELLED]
