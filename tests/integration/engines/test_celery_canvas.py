"""Chains, groups and chords of Celery as the children of one job."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, chain, chord, group

from milepost.client import Client
from milepost.client.engines.celery import publish_canvas
from milepost.v1 import Dispatch, Job
from tests.support.celery_jobs import exists, pids_in
from tests.support.rpc import state_name

pytestmark = pytest.mark.usefixtures("prefork")


async def ended(client: Client, job_id: str | None) -> Job:
    """The job, once it has ended."""
    job = Job()
    async for snapshot in client.follow(job_id or ""):
        job = snapshot.proto
    return job


async def children(client: Client, job_id: str | None) -> list[str]:
    """The kinds and states of its children, sorted."""
    jobs = [job async for job in client.list(parent_job_id=job_id or "") if job.job_id != job_id]
    return sorted(f"{job.kind} {state_name(job)}" for job in jobs)


def canvas_of(name: str, tasks: Any) -> Any:
    """A chain, a group, a chord, and one in another."""
    add, total = tasks["add"], tasks["total"]
    match name:
        case "chain":
            return chain(add.s(1, 2), add.s(3), add.s(4))
        case "group":
            return group(add.s(1, 2), add.s(3, 4), add.s(5, 6))
        case "chord":
            return chord([add.s(1, 2), add.s(3, 4)], total.s())
        case _:
            return chain(add.s(1, 2), group(add.s(1), chain(add.s(2), add.s(3))), total.s())


@pytest.mark.parametrize(
    ("name", "value", "jobs"),
    [
        ("chain", 10, ["add"] * 3),
        ("group", [3, 7, 11], ["add"] * 3),
        ("chord", 10, ["add", "add", "total"]),
        ("nested", 12, ["add"] * 4 + ["total"]),
    ],
)
async def test_a_canvas_is_the_children_of_one_job(
    publisher: Celery[Any], client: Client, name: str, value: object, jobs: list[str]
) -> None:
    """Also tasks that Celery publishes later; the parent ends with the last of them."""
    album = publish_canvas(canvas_of(name, publisher.tasks), "album", labels={"user": "7"})
    parent = await ended(client, album.job_id)

    assert (parent.failure.code, parent.failure.message) == ("", "")
    assert (parent.kind, state_name(parent), parent.fraction) == ("album", "SUCCEEDED", 1.0)
    assert dict(parent.labels) == {"milepost.dev/engine": "celery", "user": "7"}
    assert parent.planned_children == len(jobs)
    assert await children(client, album.job_id) == [f"{job} SUCCEEDED" for job in jobs]
    assert album.result.get(timeout=30) == value


async def test_a_canvas_fails_with_a_task(publisher: Celery[Any], client: Client) -> None:
    """The tasks after it never run, and nobody waits for them."""
    tasks = publisher.tasks
    album = publish_canvas(
        chain(tasks["add"].s(1, 2), tasks["fail"].si("torn page"), tasks["add"].s(1)), "album"
    )
    parent = await ended(client, album.job_id)

    assert (state_name(parent), parent.failure.code) == ("FAILED", "CHILD_FAILED")
    assert parent.failure.message.endswith("is FAILED: torn page")
    assert await children(client, album.job_id) == ["add SUCCEEDED", "fail FAILED"]


async def test_a_canvas_fails_with_a_killed_process(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """The parent of the pool, which sees that, ends the job of the task, and with it that of the canvas."""
    hold = publisher.tasks["hold"].si(str(started), str(released))
    album = publish_canvas(chain(hold, hold), "album")
    os.kill((await pids_in(started))[0], signal.SIGKILL)
    parent = await ended(client, album.job_id)

    assert (state_name(parent), parent.failure.code) == ("FAILED", "CHILD_FAILED")
    assert await children(client, album.job_id) == ["hold FAILED"]


async def test_cancelling_the_parent_stops_the_canvas(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """The running task stops, and the tasks after it do not start."""
    hold = publisher.tasks["hold"].si(str(started), str(released))
    album = publish_canvas(chain(hold, hold), "album")
    await pids_in(started)
    await client.cancel(album.job_id or "")
    parent = await ended(client, album.job_id)
    state = album.result.parent.get(timeout=30, propagate=False)

    assert state_name(parent) == "CANCELLED"
    assert state.args == ("Its job was cancelled.",)
    assert await children(client, album.job_id) == ["hold CANCELLED"]
    assert len(await pids_in(started)) == 1


async def test_a_task_published_after_its_parent_was_cancelled_does_not_run(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """As the next one of a chain, between two tasks."""
    parent = await client.submit("album", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await client.cancel(parent.job_id)
    hold: Any = publisher.tasks["hold"]
    result = hold.apply_async((str(started), str(released)), milepost={"parent_job_id": parent.job_id})
    error = result.get(timeout=30, propagate=False)

    assert (str(result.state), error.args) == ("REVOKED", ("Its job was cancelled.",))
    assert not exists(started)
