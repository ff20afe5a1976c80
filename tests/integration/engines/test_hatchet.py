"""Tasks of the real Hatchet SDK as jobs: what Milepost shows of them, and what the engine gets."""

from __future__ import annotations

import pytest

from milepost.client import Client
from tests.support.hatchet.dispatcher import HatchetServer
from tests.support.hatchet.following import children_of, ended, job_of, lines_of, log_of
from tests.support.rpc import eventually, state_name

pytestmark = pytest.mark.usefixtures("hatchet_worker")


async def test_a_task_is_a_job(hatchet: HatchetServer, client: Client) -> None:
    """Its id is that of the task run; both engines see progress, result and end, and no argument of the task leaves."""
    run = await ended(hatchet, hatchet.engine.trigger("convert", {"count": 4}))

    job = await job_of(client, run)
    assert (run.state, run.only.output) == ("COMPLETED", '{"pages":4}')
    assert hatchet.engine.streamed[-1:] == [b"converted"]
    assert (job.kind, state_name(job), job.result, job.attempt) == ("convert", "SUCCEEDED", {"pages": 4}, 1)
    assert (job.stages[0].current, job.stages[0].total, job.fraction_known) == (4, 4, True)
    assert not job.proto.HasField("input")
    assert job.labels == {
        "team": "a",
        "hatchet.run/workflow": "convert",
        "hatchet.run/task": "convert",
        "hatchet.run/workflow-run-id": run.id,
        "hatchet.run/task-run-id": run.only.id,
    }
    # The SDK says STARTED twice.
    assert [kind for _, kind in run.only.events] == ["STARTED", "STARTED", "COMPLETED"]


async def test_a_plain_task_shows_its_input_if_it_says_so(hatchet: HatchetServer, client: Client) -> None:
    """It runs in a thread of Hatchet's."""
    run = await ended(hatchet, hatchet.engine.trigger("convert_plain", {"count": 2, "password": "12345"}))

    job = await job_of(client, run)
    assert (job.kind, state_name(job), job.result) == ("convert.plain", "SUCCEEDED", {"pages": 2})
    assert job.input == {"count": 2, "password": "12345"}


async def test_a_function_need_not_know_of_its_job(hatchet: HatchetServer, client: Client) -> None:
    """Its log records are in the job all the same, and its result is not where that is left out."""
    run = await ended(hatchet, hatchet.engine.trigger("unaware"))

    job = await job_of(client, run)
    assert (run.only.output, state_name(job)) == ('{"token":"secret"}', "SUCCEEDED")
    assert not job.proto.HasField("result")
    assert lines_of(await log_of(client, job.job_id)) == [(1, "as before")]


async def test_first_attempts_share_a_session(hatchet: HatchetServer, client: Client) -> None:
    """It stays open between them, so that a task costs a claim and a report, and no stream."""
    sessions: list[list[str]] = []
    for _ in range(2):
        job = await job_of(client, await ended(hatchet, hatchet.engine.trigger("unaware")))
        sessions.append(
            [worker.session_id async for worker in client.workers() if worker.worker_id == job.worker_id]
        )
    before, after = sessions
    assert len(before) == 1
    assert after == before


async def test_a_retry_is_an_attempt_of_the_same_job(hatchet: HatchetServer, client: Client) -> None:
    """Each reports for itself; a failure tells no traceback."""
    run = await ended(hatchet, hatchet.engine.trigger("unsteady"))

    job, events = await job_of(client, run), await log_of(client, run.only.id)
    assert (run.state, run.only.retry_count) == ("COMPLETED", 2)
    assert (state_name(job), job.attempt, job.failed_attempts, job.result) == (
        "SUCCEEDED",
        3,
        2,
        {"retries": 2},
    )
    assert lines_of(events) == [(1, "retry 0"), (2, "retry 1"), (3, "retry 2")]
    failures = [event.attempt_ended.failure for event in events if event.HasField("attempt_ended")]
    assert [(failure.code, failure.message, failure.detail) for failure in failures] == [
        ("ConnectionError", "no luck", "")
    ] * 2
    assert len([event for event in events if event.HasField("job_ended")]) == 1
    assert job.worker_id.endswith(" retry 2")


@pytest.mark.parametrize(
    ("task", "code", "error"),
    [
        ("hopeless", "NonRetryableException", "NonRetryableException: there is no such page"),
        ("refused", "PAGE_NOT_FOUND", "NonRetryableException: PAGE_NOT_FOUND: There is no such page."),
    ],
)
async def test_a_failure_is_final_for_both_engines(
    hatchet: HatchetServer, client: Client, task: str, code: str, error: str
) -> None:
    """Whether the task says so with Hatchet's exception or with Milepost's."""
    run = await ended(hatchet, hatchet.engine.trigger(task))

    job = await job_of(client, run)
    assert (run.state, run.only.retry_count, run.only.error.partition("\n")[0]) == ("FAILED", 0, error)
    assert (state_name(job), job.attempt, job.failure.code, job.failure.detail) == ("FAILED", 1, code, "")


@pytest.mark.parametrize(
    ("task", "children"),
    [("album", ["convert", "convert.plain", "unaware"]), ("album_plain", ["convert", "convert"])],
)
async def test_runs_that_a_task_triggers_are_children(
    hatchet: HatchetServer, client: Client, task: str, children: list[str]
) -> None:
    """Of the job of that task, in whatever way it triggers them."""
    run = await ended(hatchet, hatchet.engine.trigger(task))

    assert run.state == "COMPLETED"
    for child in hatchet.engine.children(run):
        await ended(hatchet, child)
    jobs = await children_of(client, run.only.id)
    assert sorted([job.kind for job in jobs]) == children
    assert {state_name(job) for job in jobs} == {"SUCCEEDED"}


async def test_each_task_of_a_workflow_is_a_job(hatchet: HatchetServer, client: Client) -> None:
    """Those of a run have a label in common; the task that handles the failure of others is one of them."""
    run = await ended(hatchet, hatchet.engine.trigger("book"))
    (apology,) = [task for task in run.tasks.values() if task.on_failure]
    hatchet.engine.wait_for(lambda: apology.state == "COMPLETED")

    labels = {"hatchet.run/workflow-run-id": run.id}
    jobs = [job async for job in client.list(labels=labels, order_by="submit_time")]
    assert [(job.job_id, job.kind, state_name(job)) for job in jobs] == [
        (run.tasks["chapters"].id, "chapters", "SUCCEEDED"),
        (run.tasks["binding"].id, "binding", "FAILED"),
        (apology.id, "apology", "SUCCEEDED"),
    ]
    assert jobs[1].failure.message == "no glue for 2 chapters"
    assert jobs[2].result == {"failed": ["binding"]}


async def test_an_evicted_task_gives_its_job_back(hatchet: HatchetServer, client: Client) -> None:
    """Until Hatchet goes on with it, which is no failure: a durable task may wait for longer than its worker lives."""
    run = hatchet.engine.trigger("patient")

    async def is_given_back() -> bool:
        jobs = [job async for job in client.list(job_ids=[run.only.id])]
        return any(job.attempt == 1 and state_name(job) == "QUEUED" for job in jobs)

    await eventually(is_given_back)
    hatchet.engine.redeliver(run, invocation=2)

    assert (await ended(hatchet, run)).state == "COMPLETED"
    job = await job_of(client, run)
    assert (state_name(job), job.attempt, job.failed_attempts, job.result) == (
        "SUCCEEDED",
        2,
        0,
        {"invocations": 2},
    )
    assert lines_of(await log_of(client, job.job_id)) == [(1, "invocation 1"), (2, "invocation 2")]
