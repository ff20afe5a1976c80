"""Celery tasks with jobs, on a real broker: from the publication to the end."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from milepost.client import Client
from milepost.client.engines.celery.process_identity import worker_id_of
from tests.support.celery_jobs import ended_job, events_of, pids_in, touch
from tests.support.rpc import kinds, state_name

pytestmark = pytest.mark.usefixtures("prefork")


async def test_a_task_has_a_job_from_its_publication_to_its_end(
    publisher: Celery[Any], client: Client
) -> None:
    """The job's id is the task's, and its progress and result are those that the task reports."""
    result = publisher.tasks["convert"].delay(20)
    submitted = await client.get(str(result.id))
    job = await ended_job(client, result)

    assert submitted.kind == "print.convert"
    assert dict(job.labels) == {"milepost.dev/engine": "celery", "team": "print"}
    assert (state_name(job), dict(job.result.items())) == ("SUCCEEDED", {"pages": 20})
    assert [(stage.stage_id, stage.current, stage.total) for stage in job.stages] == [("pages", 20, 20)]
    assert result.get(timeout=120) == 20
    assert kinds(await events_of(client, result)) == [
        "job_submitted",
        "job_started",
        "stage_started",
        "stage_ended",
        "job_ended",
    ]


async def test_a_task_that_knows_nothing_of_milepost_has_a_job(
    publisher: Celery[Any], client: Client
) -> None:
    """It begins and ends; neither its arguments nor its return value are in the job."""
    result = publisher.tasks["add"].delay(20, b=22)
    job = await ended_job(client, result)

    assert kinds(await events_of(client, result)) == ["job_submitted", "job_started", "job_ended"]
    assert (job.kind, state_name(job)) == ("add", "SUCCEEDED")
    assert (job.HasField("input"), dict(job.result.items())) == (False, {})
    assert result.get(timeout=120) == 42


async def test_a_failure_has_its_text_and_no_traceback(publisher: Celery[Any], client: Client) -> None:
    """Tracebacks stay in the worker, since they may show what nobody who sees the job should."""
    result = publisher.tasks["fail"].delay("no such page")
    job = await ended_job(client, result)

    assert (state_name(job), job.failure.code, job.failure.message) == (
        "FAILED",
        "ValueError",
        "no such page",
    )
    assert job.failure.detail == ""
    with pytest.raises(ValueError, match="no such page"):
        result.get(timeout=120)


@pytest.mark.parametrize(("failures", "state"), [(2, "SUCCEEDED"), (3, "FAILED")])
async def test_retries_are_attempts_of_the_same_job(
    publisher: Celery[Any], client: Client, failures: int, state: str
) -> None:
    """Each retry ends an attempt; the job ends once, and as the task does."""
    result = publisher.tasks["flaky"].delay(failures)
    job = await ended_job(client, result)
    history = await events_of(client, result)

    assert (state_name(job), job.attempt) == (state, 3)
    assert [
        event.attempt_ended.failure.message
        for event in history
        if event.WhichOneof("payload") == "attempt_ended"
    ] == ["failure 1", "failure 2"]
    assert kinds(history).count("job_ended") == 1
    assert result.get(timeout=120, propagate=False) == (2 if state == "SUCCEEDED" else result.result)
    assert result.state == ("SUCCESS" if state == "SUCCEEDED" else "FAILURE")


@pytest.mark.parametrize(("arrives", "state"), [(True, "SUCCEEDED"), (False, "CANCELLED")])
async def test_a_task_whose_publication_fails(
    publisher: Celery[Any],
    client: Client,
    started: Path,
    released: Path,
    monkeypatch: pytest.MonkeyPatch,
    arrives: bool,
    state: str,
) -> None:
    """Its job is cancelled, unless a worker has started it: the broker had the message, and did not confirm it."""
    send = publisher.amqp.send_task_message
    task_id = str(uuid.uuid4())

    def send_unconfirmed(*args: Any, **options: Any) -> None:
        if arrives:
            send(*args, **options)
            while not started.exists():
                time.sleep(0.01)
        raise ConnectionError("gone")

    monkeypatch.setattr(publisher.amqp, "send_task_message", send_unconfirmed)
    with pytest.raises(OperationalError, match="gone"):
        publisher.tasks["hold"].apply_async((str(started), str(released)), task_id=task_id)
    touch(released)
    job = await ended_job(client, publisher.AsyncResult(task_id))

    assert (state_name(job), job.HasField("cancellation")) == (state, not arrives)


async def test_a_process_keeps_its_session(
    publisher: Celery[Any], client: Client, started: Path, released: Path
) -> None:
    """A task opens none of its own: the process that has run one has the same session after another one."""
    first = publisher.tasks["hold"].delay(str(started), str(released))
    (pid,) = await pids_in(started)
    before = await sessions(client)
    touch(released)
    await ended_job(client, first)
    for _ in range(4):  # of the two processes, each takes some
        await ended_job(client, publisher.tasks["add"].delay(1, 1))

    assert len(before[worker_id_of(pid)]) == 1
    assert (await sessions(client))[worker_id_of(pid)] == before[worker_id_of(pid)]


async def sessions(client: Client) -> dict[str, list[str]]:
    """The sessions of each worker."""
    found: dict[str, list[str]] = {}
    async for worker in client.workers():
        found.setdefault(worker.worker_id, []).append(worker.session_id)
    return found
