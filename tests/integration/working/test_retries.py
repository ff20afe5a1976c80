"""Retries: a job with attempts left is retried after every failure that is not final."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.client import Client, JobContext, JobFailure, JobSnapshot, SyncClient
from milepost.client._worker.handlers import RunMode
from milepost.v1 import Dispatch, RetryPolicy
from tests.support.command import milepost
from tests.support.isolating import at_bench
from tests.support.rpc import state_name
from tests.support.server import Server
from tests.support.working import working

EXTERNAL = Dispatch.DISPATCH_EXTERNAL
AT_ONCE = Duration()


@pytest.fixture
def kind() -> str:
    """A kind of job of the test's own."""
    return f"test-{uuid.uuid4().hex}"


def policy(*codes: str, attempts: int = 3) -> RetryPolicy:
    """A policy with this many attempts without backoff."""
    return RetryPolicy(max_attempts=attempts, initial_backoff=AT_ONCE, retryable_codes=codes)


def fail(job: JobContext) -> dict[str, object]:
    """Fail as the input says, except in the third attempt."""
    if job.attempt < 3:
        match job.input["how"]:
            case "exception":
                raise ValueError("the network was away")
            case "exit":
                sys.exit("it gave up")
            case "crash":
                os._exit(3)
            case "cancelled":
                raise asyncio.CancelledError
            case "retryable":
                raise JobFailure("BUSY", "The scanner is busy.", retryable=True)
            case "final":
                raise JobFailure("NO_PATH", "There is no such path.", retryable=False)
            case "failure":
                raise JobFailure("NO_PATH", "There is no such path.")
    return {"attempt": job.attempt}


async def fail_in_loop(job: JobContext) -> dict[str, object]:
    """The async form."""
    return fail(job)


@pytest.mark.parametrize(
    ("run", "hows"),
    [
        ("task", ("exception", "cancelled", "retryable")),
        ("thread", ("exception", "exit", "retryable")),
        ("process", ("exception", "crash")),
    ],
)
async def test_what_a_handler_did_not_mark_as_final_is_retried(
    shared_server: Server, run: RunMode, hows: tuple[str, ...]
) -> None:
    """Exceptions, exits and crashes are retried, in each run mode."""
    handler = fail_in_loop if run == "task" else fail
    async with at_bench(shared_server.address, handler, run) as bench:
        for how in hows:
            job, events = await bench.run({"how": how}, retry_policy=policy())
            retried = [event.attempt_ended.failure for event in events if event.HasField("attempt_ended")]

            assert (how, state_name(job), dict(job.result)) == (how, "SUCCEEDED", {"attempt": 3.0})
            assert [failure.retryable for failure in retried] == [True, True]


@pytest.mark.parametrize(("run", "how"), [("task", "final"), ("thread", "failure"), ("process", "final")])
async def test_what_a_handler_marked_as_final_is_not(shared_server: Server, how: str, run: RunMode) -> None:
    """`JobFailure` is final unless it says otherwise, or the policy has its code."""
    handler = fail_in_loop if run == "task" else fail
    async with at_bench(shared_server.address, handler, run) as bench:
        ended, _ = await bench.run({"how": how}, retry_policy=policy("BUSY"))
        retried, _ = await bench.run({"how": how}, retry_policy=policy("BUSY", "NO_PATH"))

    assert (state_name(ended), ended.failure.code, ended.attempt) == ("FAILED", "NO_PATH", 1)
    assert (state_name(retried), retried.attempt) == ("SUCCEEDED", 3)


async def test_an_exception_fails_the_job_at_its_last_attempt(client: Client, kind: str) -> None:
    """With a single attempt the first failure is final."""
    async with working(client.address, **{kind: fail}):
        once = await _end(client, await client.submit(kind, {"how": "exception"}))
        twice = await _end(
            client, await client.submit(kind, {"how": "exception"}, retry_policy=policy(attempts=2))
        )

    assert [(state_name(job), job.failure.code, job.failed_attempts) for job in (once, twice)] == [
        ("FAILED", "ValueError", 1),
        ("FAILED", "ValueError", 2),
    ]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ValueError("the network was away"), "QUEUED"),
        (JobFailure("BUSY", "The scanner is busy.", retryable=True), "QUEUED"),
        (JobFailure("NO_PATH", "There is no such path."), "FAILED"),
    ],
)
async def test_a_block_that_fails_may_be_claimed_again(client: Client, error: Exception, state: str) -> None:
    """For `attach` and `start`, with and without asyncio, the next claim is the next attempt."""
    with pytest.raises(type(error)):
        async with client.start("step", retry_policy=policy()) as started:
            raise error
    with pytest.raises(type(error)):
        await asyncio.to_thread(_fail_plainly, client.address, started.id, error)
    first = await client.get(started.id)

    assert state_name(first) == state
    assert first.failed_attempts == (2 if state == "QUEUED" else 1)


def _fail_plainly(address: str, job_id: str, error: Exception) -> None:
    with SyncClient(address) as client:
        if client.get(job_id).failure.retryable:
            with client.attach(job_id):
                raise error
        raise error


async def test_a_command_that_fails_may_be_claimed_again(client: Client) -> None:
    """A failed command may succeed in another attempt."""
    job_id = (await client.submit("step", dispatch=EXTERNAL, retry_policy=policy(attempts=2))).job_id
    failed = await milepost("exec", "--job-id", job_id, "--", "sh", "-c", "exit 7", address=client.address)
    waiting = await client.get(job_id)
    again = await milepost("exec", "--job-id", job_id, "--", "true", address=client.address)

    assert (failed.status, again.status) == (7, 0)
    assert (state_name(waiting), waiting.failure.code) == ("QUEUED", "EXIT_STATUS")
    assert state_name(await client.get(job_id)) == "SUCCEEDED"


async def test_the_command_submits_with_attempts_and_codes(client: Client, kind: str) -> None:
    """`--max-attempts` retries exceptions; `--retry-code` also failures that a handler marked as final."""
    codes = ("--retry-code", "NO_PATH", "--retry-code", "BUSY")
    submit = ("submit", kind, "--max-attempts", "2", "--wait", "--output", "json")
    async with working(client.address, max_concurrency=3, **{kind: fail}):
        outcomes = await asyncio.gather(
            milepost(*submit, "-s", "how=exception", address=client.address),
            milepost(*submit, "-s", "how=final", *codes, address=client.address),
            milepost(*submit, "-s", "how=final", address=client.address),
        )
    attempts = [outcome.objects[0].get("failedAttempts") for outcome in outcomes]
    policies = [outcome.objects[0]["retryPolicy"] for outcome in outcomes]

    assert attempts == [2, 2, 1]
    assert policies[1] == {"maxAttempts": 2, "retryableCodes": ["NO_PATH", "BUSY"]}
    refused = await milepost("submit", kind, "--retry-code", "BUSY", address=client.address)
    assert (refused.status, refused.out) == (2, "")
    assert "--max-attempts" in refused.err


async def _end(client: Client, job: JobSnapshot) -> JobSnapshot:
    *_, ended = [state async for state in client.follow(job.job_id)]
    return ended
