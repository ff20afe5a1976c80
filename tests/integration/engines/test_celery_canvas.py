"""Chains, groups and chords of Celery as the children of one job."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from celery import Celery, chain, chord, group, signals
from kombu.exceptions import OperationalError

from milepost.client import Client
from milepost.client._attach import AttachCalls
from milepost.client._attach.attachment import Attachment
from milepost.client._job_calls import JobCalls
from milepost.client._transport.channel import LazyChannel
from milepost.client._transport.target import Target
from milepost.client.engines.celery import TaskOptions, publish_canvas
from milepost.client.engines.celery.canvas_parent import QUIET_TIME, CanvasParent
from milepost.client.engines.celery.canvas_stamp import CanvasStamp, certain_tasks
from milepost.client.errors import JobAlreadyExists, JobFailure
from milepost.v1 import Dispatch, Job
from tests.support.celery_jobs import exists, pids_in
from tests.support.rpc import state_name
from tests.support.server import Server

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


@pytest.mark.parametrize("name", ["group", "chord", "chord of a group"])
async def test_the_parent_of_an_empty_canvas_ends(publisher: Celery[Any], client: Client, name: str) -> None:
    """Celery publishes the body of a chord without a header, and of a group without tasks nothing."""
    total = publisher.tasks["total"].s()
    canvas: Any = group([], app=publisher) if name == "group" else chord([], total)
    if name == "chord of a group":
        canvas = chord(group([], app=publisher), total)
    published = publish_canvas(canvas, "album")

    assert state_name(await ended(client, published.job_id)) == "SUCCEEDED"
    assert await children(client, published.job_id) == ([] if name == "group" else ["total SUCCEEDED"])


@pytest.mark.parametrize("name", ["group", "chain"])
async def test_a_chord_without_a_header_in_a_canvas(
    publisher: Celery[Any], client: Client, name: str
) -> None:
    """Its body is a child like the others, and the parent ends with the last of them."""
    total, add = publisher.tasks["total"].s(), publisher.tasks["add"].s(1, 2)
    alone = chord([], total, app=publisher)
    canvas: Any = group([alone, add]) if name == "group" else chain(alone, publisher.tasks["add"].s(2))
    published = publish_canvas(canvas, "album")

    assert state_name(await ended(client, published.job_id)) == "SUCCEEDED"
    assert await children(client, published.job_id) == ["add SUCCEEDED", "total SUCCEEDED"]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"owner": 7}, TypeError, "the option 'owner' in publish_canvas cannot be 7: "),
        ({"labels": 7}, TypeError, "the option 'labels' in publish_canvas cannot be 7: "),
        ({"timeout": "soon"}, TypeError, "the option 'timeout' in publish_canvas cannot be 'soon': "),
        ({"colour": "red"}, TypeError, "the option 'colour' in publish_canvas cannot be 'red': "),
        ({"input": {"pages": object()}}, None, "pages"),
    ],
)
async def test_wrong_options_of_a_canvas_are_named(
    publisher: Celery[Any], options: Any, error: Any, text: str
) -> None:
    """Before anything is published: the caller has asked for a parent, and sees the error."""
    with pytest.raises(error or (TypeError, ValueError), match=re.escape(text)):
        publish_canvas(publisher.tasks["add"].s(1, 2), "album", **options)
    with pytest.raises(TypeError, match="kind is 7, and takes text such as 'album'"):
        publish_canvas(publisher.tasks["add"].s(1, 2), cast("Any", 7))


def test_what_is_no_canvas_is_refused() -> None:
    """In words, rather than with an error of Python."""
    wrong: Any = "text"
    with pytest.raises(TypeError, match=r"canvas is 'text', and takes a signature: a chain, a group"):
        publish_canvas(wrong, "album")
    assert publish_canvas(group([]), "album").job_id is None


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
    assert album.result.get(timeout=120) == value


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
    state = album.result.parent.get(timeout=120, propagate=False)

    assert state_name(parent) == "CANCELLED"
    assert state.args == ("Its job was cancelled.",)
    assert await children(client, album.job_id) == ["hold CANCELLED"]
    assert len(await pids_in(started)) == 1


async def test_a_canvas_that_was_published_in_part(
    publisher: Celery[Any],
    client: Client,
    started: Path,
    released: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is cancelled, with the tasks that run by then; and may be published again, also with its job_id."""
    send, hold, add = publisher.amqp.send_task_message, publisher.tasks["hold"], publisher.tasks["add"]
    job_id = str(uuid4())

    def send_first(*args: Any, **options: Any) -> None:
        if started.exists():
            raise ConnectionError("gone")
        send(*args, **options)
        while not started.exists():
            time.sleep(0.01)

    with monkeypatch.context() as patch:
        patch.setattr(publisher.amqp, "send_task_message", send_first)
        with pytest.raises(OperationalError, match="gone"):
            publish_canvas(group(hold.si(str(started), str(released)), add.s(1, 2)), "album", job_id=job_id)
    again = publish_canvas(group(add.s(1, 2), add.s(3, 4)), "album", job_id=job_id)

    assert again.result.get(timeout=120) == [3, 7]
    assert state_name(await ended(client, again.job_id)) == "SUCCEEDED"
    parent = await ended(client, job_id)
    async for child in client.list(parent_job_id=job_id):
        await ended(client, child.job_id)
    assert (state_name(parent), await children(client, job_id)) == (
        "CANCELLED",
        ["add CANCELLED", "hold CANCELLED"],
    )


async def test_a_canvas_whose_job_runs_or_succeeded_is_not_published_again(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """Its work would be done twice: the caller learns that there is a job with this id."""
    hold, job_id = publisher.tasks["hold"].si(str(started), str(released)), str(uuid4())
    first = publish_canvas(group(hold), "album", job_id=job_id)
    await pids_in(started)
    async for job in client.follow(job_id):
        if job.attempt:
            break
    with pytest.raises(JobAlreadyExists, match="is RUNNING"):
        publish_canvas(group(hold), "album", job_id=job_id)
    await asyncio.to_thread(released.touch)
    first.result.get(timeout=120)
    await ended(client, job_id)
    with pytest.raises(JobAlreadyExists, match="is SUCCEEDED"):
        publish_canvas(group(hold), "album", job_id=job_id)
    assert await children(client, job_id) == ["hold SUCCEEDED"]


async def test_a_canvas_published_after_its_parent_was_cancelled_does_not_run(
    publisher: Celery[Any], client: Client
) -> None:
    """Its job is cancelled at once, which is no reason to take another id."""
    parent = await client.submit("shelf", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await client.cancel(parent.job_id)
    job_id = str(uuid4())
    album = publish_canvas(
        group(publisher.tasks["add"].s(1, 2)), "album", job_id=job_id, parent_job_id=parent.job_id
    )

    assert (album.job_id, state_name(await ended(client, album.job_id))) == (job_id, "CANCELLED")


async def test_a_task_published_after_its_parent_was_cancelled_does_not_run(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """As the next one of a chain, between two tasks."""
    parent = await client.submit("album", dispatch=Dispatch.DISPATCH_EXTERNAL)
    await client.cancel(parent.job_id)
    hold: Any = publisher.tasks["hold"]
    result = hold.apply_async((str(started), str(released)), milepost={"parent_job_id": parent.job_id})
    error = result.get(timeout=120, propagate=False)

    assert (str(result.state), error.args) == ("REVOKED", ("Its job was cancelled.",))
    assert not exists(started)


async def test_a_task_published_while_its_parent_is_being_cancelled_does_not_run(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """As the next one of a chain, before the process that holds the parent has ended it."""
    parent = await client.submit("album", dispatch=Dispatch.DISPATCH_EXTERNAL)
    hold: Any = publisher.tasks["hold"]
    attachment = client.attach(parent.job_id).attachment
    await attachment.claim()
    await client.cancel(parent.job_id, grace_period=60.0)
    result = hold.apply_async((str(started), str(released)), milepost={"parent_job_id": parent.job_id})
    await attachment.end(asyncio.CancelledError())
    error = result.get(timeout=120, propagate=False)

    assert (str(result.state), error.args) == ("REVOKED", ("Its job was cancelled.",))
    assert not exists(started)


async def test_a_group_fails_only_once_all_its_parts_have_ended(
    publisher: Celery[Any], client: Client
) -> None:
    """Also if one fails while the later ones are still to be published."""
    tasks = publisher.tasks
    first = tasks["fail"].s("torn page").set(task_id=f"first-{uuid4()}")

    def wait_for_first(sender: str, **_: object) -> None:
        if sender == "fail":
            publisher.AsyncResult(first.options["task_id"]).get(timeout=120, propagate=False)

    signals.after_task_publish.connect(wait_for_first)
    try:
        parts = group(first, tasks["add"].s(1, 2), tasks["add"].s(3, 4))
        album = await asyncio.to_thread(publish_canvas, parts, "album")
    finally:
        signals.after_task_publish.disconnect(wait_for_first)
    parent = await ended(client, album.job_id)

    assert (state_name(parent), parent.failure.code) == ("FAILED", "CHILD_FAILED")
    assert await children(client, album.job_id) == ["add SUCCEEDED", "add SUCCEEDED", "fail FAILED"]


async def test_a_parent_ends_whose_tasks_no_worker_takes(publisher: Celery[Any], client: Client) -> None:
    """Whoever published the canvas sees that its tasks are cancelled."""
    parts = [publisher.tasks["add"].s(1, 2).set(queue="nobody") for _ in range(2)]
    album = publish_canvas(group(parts), "album")
    for job in [job async for job in client.list(parent_job_id=album.job_id or "")]:
        await client.cancel(job.job_id, reason="No longer needed.")
    parent = await ended(client, album.job_id)

    assert (state_name(parent), parent.failure.code) == ("FAILED", "CHILD_FAILED")
    assert parent.failure.message.endswith("is CANCELLED: No longer needed.")


async def test_a_parent_has_a_deadline(publisher: Celery[Any], client: Client) -> None:
    """So that it ends even if everybody is gone who could know; the publisher may choose another one."""
    parts = [publisher.tasks["add"].s(1, 2)]
    week, none = [
        await ended(client, publish_canvas(group(parts), "album", **options).job_id)
        for options in (TaskOptions(), TaskOptions(start_deadline=None))
    ]

    assert week.start_deadline.ToTimedelta() == timedelta(days=7)
    assert not none.HasField("start_deadline")


async def test_a_nested_canvas_with_a_failure_waits_for_what_is_published_late(
    shared_server: Server, client: Client
) -> None:
    """Nobody knows how many of its tasks are still to come: a while without a new one is the end."""
    parent = await client.submit("album", dispatch=Dispatch.DISPATCH_EXTERNAL, planned_children=9)
    channel = LazyChannel(Target.of(shared_server.address))
    calls = JobCalls(channel, 10.0)
    blocks = AttachCalls(channel, calls, 10.0)

    def claim(job_id: str, instance: str, wait: float) -> Attachment:
        return blocks.attach(job_id, instance=instance or None, wait=wait).attachment

    end = CanvasParent(calls, claim, CanvasStamp(parent.job_id), holds=False)
    ends: list[bool] = []
    for now in (0.0, QUIET_TIME - 1):
        with contextlib.suppress(JobFailure):
            async with client.start("add", parent_job_id=parent.job_id):
                raise JobFailure("TORN", "torn page")
        ends.append(await end.check(now, lambda: None))
    ends += [
        await end.check(now, lambda: None) for now in (QUIET_TIME + 1, 2 * QUIET_TIME - 1, 2 * QUIET_TIME)
    ]
    await channel.close()

    assert ends == [False, False, False, True, True]
    assert state_name((await client.get(parent.job_id)).proto) == "FAILED"


@pytest.mark.parametrize(
    ("name", "certain"),
    [("chain", 1), ("group", 3), ("chord", 2), ("nested", None), ("group of chains", None)],
)
def test_how_many_tasks_are_published_in_any_case(
    publisher: Celery[Any], name: str, certain: int | None
) -> None:
    """Those that do not follow another one; of nested ones it cannot be told."""
    add = publisher.tasks["add"]
    if name == "group of chains":
        canvas = group(chain(add.s(1, 2), add.s(3)), add.s(1, 2))
    else:
        canvas = canvas_of(name, publisher.tasks)

    assert certain_tasks(canvas) == certain
    stamp = CanvasStamp("album-1", certain, "secret")
    assert CanvasStamp.from_text(stamp.text) == stamp


@pytest.mark.parametrize(("text", "certain"), [("album-1", None), ("album-1:3", 3)])
def test_stamps_of_earlier_versions_are_understood(text: str, certain: int | None) -> None:
    """Their messages may still wait when the workers are updated."""
    assert CanvasStamp.from_text(text) == CanvasStamp("album-1", certain, "")
