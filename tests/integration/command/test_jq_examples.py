"""The `jq` filters of docs/json.md and of the commands' help, run on what the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import jq

from milepost.client import Client, JobContext, JobFailure
from milepost.client._cli.commands.base_command import Command
from milepost.client._cli.main import milepost as group
from tests.support.command import milepost
from tests.support.server import ServerProcess
from tests.support.working import working

DOC = Path(__file__).parents[3] / "docs" / "json.md"


def examples() -> list[str]:
    """All command lines with `jq`."""
    context = click.Context(group)
    commands = [group.get_command(context, name) for name in group.list_commands(context)]
    helped = [line for command in commands if isinstance(command, Command) for line in command._examples]
    return [*re.findall(r"^\$ (.*)$", DOC.read_text(), re.MULTILINE), *helped]


async def selected(line: str, job_id: str, address: str) -> list[Any]:
    """What the filter makes of what the command prints."""
    words = [job_id if word in ("J", "$JOB") else word for word in shlex.split(line)]
    pipe = words.index("|")
    (expression,) = (word for word in words[pipe + 2 :][:2] if not word.startswith("-") and word != "|")
    outcome = await milepost(*words[1:pipe], address=address)
    assert outcome.status == 0, outcome.err
    results: list[Any] = jq.compile(expression).input_text(outcome.out).all()
    return results


async def count(job: JobContext) -> None:
    """Has a stage that progresses."""
    async with job.stage("count", total=2) as stage:
        stage.advance(2)


async def fail(job: JobContext) -> None:
    """Fails."""
    raise JobFailure("NO_DISK", "There is no disk.")


async def test_the_filters(server: ServerProcess) -> None:
    """They say what stands for absent fields, and make numbers of 64-bit ones."""
    found: dict[str, list[Any]] = {}
    async with Client(server.address) as client, working(server.address, archive=count, failing=fail):
        done, failed = await client.submit("archive"), await client.submit("failing")
        events = [event async for event in client.watch(done.job_id)]
        failure = [event async for event in client.watch(failed.job_id)]
        queued = await client.submit("nobody")
        for line in examples():
            if "| jq" in line:
                found[line.partition(" --output json")[0]] = await selected(line, done.job_id, server.address)
        (connected,) = [item.worker_id async for item in client.workers()]

    # Some versions of jq print 1.0 as it is, others as 1.
    rows = [row.split("\t") for row in found.pop("milepost list")]
    assert [(job_id, state, float(fraction), int(last)) for job_id, state, fraction, last in rows] == [
        (queued.job_id, "JOB_STATE_QUEUED", 0.0, 1),
        (failed.job_id, "JOB_STATE_FAILED", 0.0, len(failure)),
        (done.job_id, "JOB_STATE_SUCCEEDED", 1.0, len(events)),
    ]
    assert found == {
        "milepost watch $JOB": [
            [event.sequence, event.stage_progressed.current]
            for event in events
            if event.HasField("stage_progressed")
        ],
        "milepost get J": ["JOB_STATE_SUCCEEDED"],
        "milepost workers --kind archive": [connected],
        "milepost history archive --owner ann": [0],
        "milepost list --state failed": [failed.job_id],
        "milepost whoami": [["admin", "cancel", "read", "submit", "work"]],
    }
    assert found["milepost watch $JOB"] != []
