"""Cancel against finish: the order of the log decides, and both sides get answers that agree with it (rule 17)."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import grpc

from milepost.fold import Fold
from milepost.v1 import ErrorReason, Event, Job, JobState, WorkResponse
from tests.support.rpc import Rpc, StreamEnded, WorkSession, connect, kinds, log_line, state_name, succeeded
from tests.support.server import Server


async def race(source: random.Random, *parties: Callable[[], Awaitable[object]]) -> None:
    """Run all at once, each after a random delay of about the time of a call."""

    async def run(party: Callable[[], Awaitable[object]]) -> None:
        await asyncio.sleep(source.uniform(0.0, 0.005))
        await party()

    await asyncio.gather(*map(run, parties))


async def races(least: int, possible: set[str], run: Callable[[], Awaitable[str]]) -> Counter[str]:
    """The outcomes of the races: a minimum number, and more until each outcome has occurred."""
    outcomes: Counter[str] = Counter()
    while outcomes.total() < least or (possible - set(outcomes) and outcomes.total() < 10 * least):
        outcomes[await run()] += 1
    return outcomes


def folded(log: list[Event], sequence: int) -> Job:
    """The job as of then."""
    fold = Fold()
    for event in log[:sequence]:
        fold.apply(event)
    return fold.job


async def heard(session: WorkSession, job_id: str) -> list[WorkResponse]:
    """The worker's responses about the job, up to the answer to its last report."""
    responses: list[WorkResponse] = []
    with contextlib.suppress(StreamEnded):
        while True:
            response = await session.next()
            assert job_id == getattr(response, str(response.WhichOneof("message"))).job_id
            responses.append(response)
    assert await session.call.code() == grpc.StatusCode.OK
    return responses


async def finished_and_cancelled(rpc: Rpc, other: Rpc, source: random.Random) -> str:
    """One race between a worker and a submitter; return the order of the log, and the end."""
    grace = source.choice([None, 0.0])
    job = await rpc.submit()
    answers: list[Job] = []
    async with rpc.session() as session:
        _, token = await session.take()
        await session.report(job.job_id, token, 1, log_line("under way"))
        await session.acknowledged(1)

        async def cancel() -> None:
            answers.append(await other.cancel(job.job_id, grace=grace))

        async def finish() -> None:
            await session.report(job.job_id, token, 2, succeeded())
            await session.call.done_writing()

        _, result = await asyncio.gather(race(source, cancel, finish), heard(session, job.job_id))
    log = await rpc.log(job.job_id)
    final = await rpc.get(job.job_id)

    assert kinds(log[:3]) == ["job_submitted", "job_started", "log_written"], "traffic flowed before"
    assert [len(log)] == [event.sequence for event in log if event.HasField("job_ended")]
    assert log[-1].job_ended.state == final.state
    (answer,) = answers
    # The answer to the submitter is the job's state at an event of the log, at the request or after it.
    assert folded(log, answer.last_sequence).state == answer.state
    requested = [event.sequence for event in log if event.HasField("cancel_requested")]
    assert all(sequence <= answer.last_sequence for sequence in requested)
    # The worker's end was acknowledged if, and only if, the log has it.
    last = result[-1]
    if state_name(final) == "SUCCEEDED":
        assert (2, len(log)) == (last.acknowledged.report_sequence, last.acknowledged.last_sequence)
    else:
        assert (final.state, final.cancellation.forced) == (JobState.JOB_STATE_CANCELLED, True)
        assert last.rejected.reason == ErrorReason.ERROR_REASON_JOB_ENDED
        assert answer.state == JobState.JOB_STATE_CANCELLED
    if not requested:
        assert answer.state == JobState.JOB_STATE_SUCCEEDED
    return f"{'finish' if not requested else 'cancel'} first, {state_name(final)}"


async def test_cancel_against_finish(shared_server: Server) -> None:
    """A hundred races: each has one end, decided by the order of the log; both orders and all possible ends occur."""
    source = random.Random(4)
    possible = {"finish first, SUCCEEDED", "cancel first, SUCCEEDED", "cancel first, CANCELLED"}
    async with connect(shared_server.address) as rpc, connect(shared_server.address) as other:
        outcomes = await races(100, possible, lambda: finished_and_cancelled(rpc, other, source))

    assert possible == set(outcomes)


async def test_cancel_against_start(shared_server: Server) -> None:
    """A job that is cancelled during its dispatch ends in the queue, or its worker gets the cancellation."""
    source = random.Random(5)
    possible = {"in the queue", "at its worker"}
    async with connect(shared_server.address) as rpc, connect(shared_server.address) as other:
        outcomes = await races(25, possible, lambda: started_and_cancelled(rpc, other, source))

    assert possible == set(outcomes)


async def started_and_cancelled(rpc: Rpc, other: Rpc, source: random.Random) -> str:
    """One race between a connecting worker and a cancellation; return where the job was cancelled."""
    async with rpc.session(max_concurrency=0) as session:
        job_id = (await rpc.submit()).job_id
        assert kinds(await rpc.log(job_id)) == ["job_submitted"]

        async def come() -> None:
            await session.send(capacity={"max_concurrency": 1})

        async def cancel() -> None:
            await other.cancel(job_id, grace=60)

        await race(source, come, cancel)
        if "job_started" not in kinds(log := await rpc.log(job_id)):
            assert kinds(log) == ["job_submitted", "cancel_requested", "job_ended"]
            assert not log[-1].job_ended.forced
            await session.leave()
            return "in the queue"
        given, token = await session.take()
        assert (job_id, job_id) == (given.job_id, (await session.receive("cancel")).cancel.job_id)
        await session.report(job_id, token, 1, succeeded())
        await session.acknowledged(1)
        log = await rpc.log(job_id)
        assert kinds(log) == ["job_submitted", "job_started", "cancel_requested", "job_ended"]
        await session.leave()
        return "at its worker"
