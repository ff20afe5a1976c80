"""The command `milepost bridge redis`: restarts, and what it says of options, URLs and credentials."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from milepost.client import Client, JobSnapshot
from milepost.client._cli.main import run
from milepost.v1 import JobState
from tests.support.command import milepost, started
from tests.support.redis_server import RedisServer
from tests.support.rpc import eventually
from tests.support.server import Server


async def test_the_command_and_its_restart(
    redis_server: RedisServer, client: Client, shared_server: Server
) -> None:
    """A bridge that stops leaves its jobs as they are, and the next one goes on with them, as another attempt."""
    name = uuid.uuid4().hex
    command = ("bridge", "redis", "--channel", f"{name}:*", "--map", "progress")
    settings = {"MILEPOST_BRIDGE_REDIS_URL": f"{redis_server.url}/0"}
    job_id = f"progress-{name}"

    def say(**message: Any) -> None:
        with redis_server.client() as redis:
            redis.publish(f"{name}:{name}", json.dumps(message))

    async def fraction(expected: float) -> JobSnapshot:
        async def reached() -> JobSnapshot | None:
            with contextlib.suppress(Exception):
                job = await client.get(job_id)
                return job if job.fraction == expected else None
            return None

        job: JobSnapshot = await eventually(reached)
        return job

    for number, percentage in ((1, 20), (2, 60)):
        async with started(*command, address=shared_server.address, env=settings) as bridge:
            await bridge.says("reading")
            say(type="progress", percentage=percentage)
            job = await fraction(percentage / 100)
            assert (job.state, job.proto.attempt) == (JobState.JOB_STATE_RUNNING, number)
            if number == 2:
                say(type="complete", result={"n": 2})
                assert await client.result(job_id, timeout=120) == {"n": 2}
            bridge.signal(signal.SIGTERM)
            assert (await bridge.end()).status == 143


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://:secret@host:port/0", "The URL of Redis is not of the form"),
        ("secret", "The URL of Redis is not of the form"),
        ("", "The URL of Redis is not of the form"),
        ("redis://localhost/secret", "a database that is not a number"),
        ("rediss://localhost/0/secret", "a database that is not a number"),
    ],
)
def test_urls_that_are_none(url: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The error does not have them: a part may be a password."""
    assert run(["bridge", "redis", "--channel", "c", "--map", "status", "--url", url]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "secret" not in error


def test_an_empty_url_in_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not that of a server on this machine, which nobody meant."""
    monkeypatch.setenv("MILEPOST_BRIDGE_REDIS_URL", "")
    assert run(["bridge", "redis", "--channel", "c", "--map", "m:f"]) == 2
    assert "MILEPOST_BRIDGE_REDIS_URL is empty" in capsys.readouterr().err


async def test_credentials_that_redis_refuses(tmp_path: Path) -> None:
    """The command ends, and names the server without them."""
    with RedisServer(tmp_path / "redis", password="right") as redis:
        url = redis.url.replace("right", "secret-and-wrong")
        for more in (("--channel", "c", "--map", "status"), ("--stream", "s")):
            outcome = await milepost("bridge", "redis", *more, "--url", url, address="127.0.0.1:1")
            assert outcome.status == 1
            assert f"Redis at 127.0.0.1:{redis.port} refuses the credentials." in outcome.err
            assert "secret" not in outcome.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Give either --channel"),
        (("--channel", "c", "--stream", "s"), "Give either --channel"),
        (("--channel", "c"), "--channel needs --map"),
        (("--channel", "c", "--map", "gone"), "'gone' cannot be read"),
        (("--channel", "c", "--map", "m:f", "--kind", "a", "--kind", "b"), "give --kind once"),
        (("--publish", "{colour}"), "A channel cannot have {colour} in its name"),
        (("--stream", "s", "--idle", "1m"), "--idle does nothing with --publish and --stream"),
        (("--publish", "p", "--max-jobs", "3"), "--max-jobs does nothing with --publish and --stream"),
        (("--publish", "p", "--max-length", "3"), "--max-length does nothing without --stream"),
        *(
            (("--channel", "c", "--map", "status", *given), f"{given[0]} does nothing with --channel")
            for given in (
                ("--label", "a=b"),
                ("--state-key", "k"),
                ("--from-start",),
                ("--max-length", "3"),
            )
        ),
        (
            ("--channel", "c", "--map", "status", "--idle", "1m"),
            "--idle does nothing with the mapping 'status'",
        ),
        (
            ("--channel", "c", "--map", "status", "--kind", "k"),
            "--kind does nothing with the mapping 'status'",
        ),
        (("--stream", "s", "--map", "status"), "not of the form MODULE:FUNCTION"),
    ],
)
def test_options_that_do_not_go_together(
    options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each error says what to give."""
    assert run(["bridge", "redis", *options]) == 2
    assert said in capsys.readouterr().err


def test_without_the_package(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which extra to install."""
    for module in [
        name for name in sys.modules if name.startswith("milepost.client._cli.commands.bridge_runner")
    ]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    assert run(["bridge", "redis", "--stream", "s"]) == 2
    assert "pip install 'milepost-client[redis]'" in capsys.readouterr().err
