"""Three nodes on one log in three NATS servers: clients do not depend on the node that they talk to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from milepost.v1 import (
    CancelAcknowledged,
    Claim,
    Dispatch,
    Job,
    JobEnded,
    JobFilter,
    JobState,
    ListJobsRequest,
    ReportJobRequest,
    Resume,
    Update,
    WatchJobsRequest,
)
from tests.support.forking import Forkery
from tests.support.nats import NatsCluster
from tests.support.nodes import Nodes
from tests.support.rpc import Rpc, connect, eventually, kinds, log_line, state_name, succeeded
from tests.support.spread import Stores

_CALLS = (
    "/milepost.v1.JobService/SubmitJob",
    "/milepost.v1.WorkerService/Work",
    "/milepost.v1.JobService/CancelJob",
    "/milepost.v1.JobService/GetJob",
    "/milepost.v1.JobService/WatchJobs",  # so that the read waits for earlier events
)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory, forkery: Forkery) -> Iterator[Nodes]:
    """Three nodes, each with the addresses of all three NATS servers; leases outlast a hundred slow rounds."""
    directory = tmp_path_factory.mktemp("cluster")
    with (
        NatsCluster(*[directory] * 3) as nats,
        Nodes(directory, [nats.url] * 3, "--lease-ttl", "10m", forkery=forkery) as nodes,
    ):
        yield nodes


@pytest.fixture
async def rpcs(nodes: Nodes) -> AsyncIterator[list[Rpc]]:
    """A channel to each node."""
    async with nodes.connected() as rpcs:
        yield rpcs


# --- One job, many nodes ----------------------------------------------------------------------------------------


async def test_a_job_goes_through_all_nodes(rpcs: list[Rpc]) -> None:
    """Submitted at one, done through the next, watched at the third."""
    a, b, c = rpcs
    async with b.session() as session:
        job = await a.submit()
        watch = c.watch(job.job_id)
        taken, token = await session.take()
        await session.report(taken.job_id, token, 1, log_line("1"), log_line("2"))
        await session.acknowledged(2)
        await session.report(taken.job_id, token, 3, succeeded())
        seen = [event async for frame in watch for event in frame.events.events]

    assert kinds(seen) == ["job_submitted", "job_started", "log_written", "log_written", "job_ended"]
    assert [event.sequence for event in seen] == [1, 2, 3, 4, 5]
    for rpc in rpcs:
        assert seen == await rpc.ended(job.job_id)
        assert await a.get(job.job_id) == await rpc.get(job.job_id)


async def test_announcements_of_one_node_reach_every_node(rpcs: list[Rpc]) -> None:
    """At once, however far the other nodes lag."""
    a, b, c = rpcs
    for _ in range(20):
        job = await a.submit()
        assert job.job_id == (await b.get(job.job_id)).job_id
        assert state_name(await c.cancel(job.job_id)) == "CANCELLED"


async def test_a_cancellation_reaches_the_worker_of_another_node(rpcs: list[Rpc]) -> None:
    """The worker gets it from its own node, and continues its session (rule 16)."""
    a, b, c = rpcs
    async with b.session() as session:
        job = await a.submit()
        _, token = await session.take()
        assert state_name(await c.cancel(job.job_id, grace=30)) == "CANCELLING"
        cancel = (await session.receive("cancel")).cancel
        assert (job.job_id, "enough") == (cancel.job_id, cancel.cancellation.reason)
        ended = Update(job_ended=JobEnded(state=JobState.JOB_STATE_CANCELLED))
        await session.report(job.job_id, token, 1, Update(cancel_acknowledged=CancelAcknowledged()), ended)
        await session.acknowledged(2)

    async def is_cancelled() -> bool:
        return state_name(await a.get(job.job_id)) == "CANCELLED"

    await eventually(is_cancelled)


async def test_each_call_may_go_to_another_node(nodes: Nodes) -> None:
    """A job is submitted, assigned, cancelled and read, each at the next node."""
    async with connect(nodes.address) as rpc:
        for _ in nodes.servers:
            job = await rpc.submit()
            async with rpc.session(max_concurrency=1) as session:
                _, token = await session.take()
                await rpc.cancel(job.job_id)
                await session.receive("cancel")
                await session.report(job.job_id, token, 1, succeeded())
                await session.acknowledged(1)
                assert state_name(await rpc.get(job.job_id)) == "SUCCEEDED"

    async def each_was_called() -> bool:
        called = [{str(line.get("method")) for line in server.log()} for server in nodes.servers]
        return set(_CALLS) <= set.intersection(*called)

    await eventually(each_was_called)


async def test_reports_may_go_through_any_node(rpcs: list[Rpc]) -> None:
    """Each report is accepted once and in order (rule 11)."""
    a, b, _ = rpcs
    job = await a.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    async with b.session(kinds=[]) as session:
        await session.send(claim=Claim(job_id=job.job_id))
        _, token = await session.take()
    for number in range(1, 31):
        request = ReportJobRequest(
            job_id=job.job_id,
            lease_token=token,
            first_report_sequence=number,
            updates=[log_line(str(number))],
        )
        answer = await rpcs[number % 3].workers.ReportJob(request)
        assert number == answer.report_sequence

    texts = [event.log_written.text for event in await a.log(job.job_id) if event.HasField("log_written")]
    assert texts == [str(number) for number in range(1, 31)]


async def test_positions_are_valid_at_every_node(rpcs: list[Rpc]) -> None:
    """A watch of many jobs resumes at another node; lists and their pages are the same, too."""
    jobs = [await rpcs[number % 3].submit() for number in range(9)]
    wanted = JobFilter(kinds=[rpcs[0].kind])
    seen = []
    position = 0
    for turn in range(9):
        request = WatchJobsRequest(filter=wanted, after_position=position, max_batch_events=1)
        async for frame in rpcs[turn % 3].jobs.WatchJobs(request):
            if frame.HasField("events"):
                seen += [event.job_id for event in frame.events.events]
                position = frame.events.position
                break
    assert [job.job_id for job in jobs] == seen

    token = ""
    listed: list[Job] = []
    for turn in range(3):
        page = await rpcs[turn].jobs.ListJobs(
            ListJobsRequest(filter=wanted, page_size=3, page_token=token, order_by="submit_time")
        )
        listed += page.jobs
        token = page.next_page_token
    assert ([job.job_id for job in jobs], "") == ([job.job_id for job in listed], token)


# --- Races ------------------------------------------------------------------------------------------------------


async def test_a_job_that_is_finished_and_cancelled_at_once_has_one_end(rpcs: list[Rpc]) -> None:
    """Through two nodes, a hundred times: the log decides, and all nodes agree (rule 17)."""
    a, b, c = rpcs
    ends: Counter[str] = Counter()
    async with b.session(max_concurrency=100) as session:
        jobs = [await a.submit() for _ in range(100)]
        held = {job.job_id: token for job, token in [await session.take() for _ in jobs]}
        # Sometimes one starts a little earlier, sometimes the other.
        for number, job in enumerate(jobs):
            start = number % 9 - 4

            async def finish(job_id: str, start: int) -> None:
                await asyncio.sleep(max(-start, 0) / 1000)
                await session.report(job_id, held[job_id], 1, succeeded())

            async def cancel(job_id: str, start: int) -> None:
                await asyncio.sleep(max(start, 0) / 1000)
                await c.cancel(job_id, grace=0)

            await asyncio.gather(finish(job.job_id, start), cancel(job.job_id, start))
        for job in jobs:
            await a.ended(job.job_id)
        await Stores([rpc.jobs for rpc in rpcs]).sync()
        for job in jobs:
            events = await a.log(job.job_id)
            assert kinds(events).count("job_ended") == 1
            assert kinds(events)[-1] == "job_ended"
            assert list(range(1, len(events) + 1)) == [event.sequence for event in events]
            states = {state_name(await rpc.get(job.job_id)) for rpc in rpcs}
            assert len(states) == 1
            ends[states.pop()] += 1

    assert ends.total() == 100
    assert set(ends) == {"SUCCEEDED", "CANCELLED"}


async def test_a_job_that_two_engines_claim_starts_once(rpcs: list[Rpc]) -> None:
    """Two nodes claim a job at the same time, a hundred times: one gets it, the other a refusal."""
    a, b, c = rpcs
    async with (
        b.session(kinds=[], max_concurrency=100) as one,
        c.session(kinds=[], max_concurrency=100) as other,
    ):
        wins: Counter[str] = Counter()
        jobs = []
        for _ in range(100):
            job = await a.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
            jobs.append(job)
            claim = Claim(job_id=job.job_id)
            await asyncio.gather(one.send(claim=claim), other.send(claim=claim))
            answers = await asyncio.gather(one.next(), other.next())
            results = [str(answer.WhichOneof("message")) for answer in answers]
            assert sorted(results) == ["assignment", "rejected"], answers
            wins[results[0]] += 1
        await Stores([rpc.jobs for rpc in rpcs]).sync()
        for job in jobs:
            assert kinds(await a.log(job.job_id)) == ["job_submitted", "job_started"]
    assert wins.total() == 100


async def test_workers_of_all_nodes_share_the_work(rpcs: list[Rpc]) -> None:
    """Each job is assigned once, however many nodes have waiting workers."""
    async with AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(rpc.session(max_concurrency=2)) for rpc in rpcs]

        done: list[str] = []

        async def until_gone(number: int) -> None:
            session = sessions[number]
            while True:
                response = await session.next()
                if response.HasField("assignment"):
                    job_id = response.assignment.job.job_id
                    await session.report(job_id, response.assignment.lease_token, 1, succeeded())
                    done.append(job_id)

        working = [asyncio.create_task(until_gone(number)) for number in range(3)]
        jobs = [await rpcs[number % 3].submit() for number in range(60)]
        for job in jobs:
            assert kinds(await rpcs[0].ended(job.job_id)) == ["job_submitted", "job_started", "job_ended"]
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
    assert Counter(job.job_id for job in jobs) == Counter(done)


async def test_nodes_that_start_jobs_of_a_key_at_once_keep_its_limit(rpcs: list[Rpc]) -> None:
    """Of simultaneous starts the log decides which exceed the limit; those are requeued."""
    a, *others = rpcs
    at_work: set[str] = set()
    given_back = 0

    async def work(rpc: Rpc, kind: str) -> str:
        async with rpc.session(kinds=[kind], max_concurrency=1) as session:
            job, token = await session.take()
            at_work.add(job.job_id)
            assert {job.job_id} == at_work
            await rpc.get(job.job_id)  # long enough for another one to be given out
            at_work.remove(job.job_id)
            await session.report(job.job_id, token, 1, succeeded())
            await session.acknowledged(1)
        return job.job_id

    for turn in range(100):
        sorts = [f"{a.kind}-{turn}-{number}" for number in range(2)]
        for sort in sorts:
            await a.submit(kind=sort, concurrency_key="user")
        for job_id in await asyncio.gather(*map(work, others, sorts)):
            given_back += kinds(await a.ended(job_id)).count("attempt_ended")
    assert given_back


async def test_a_half_open_session_is_ended_by_one_at_another_node(rpcs: list[Rpc]) -> None:
    """The worker has reconnected there; otherwise jobs would be assigned to the old session, and lost."""
    a, b, _ = rpcs
    async with a.session(instance=a.kind) as older:
        await a.submit()
        job, token = await older.take()
        async with b.session(instance=a.kind, job_ids=[job.job_id]) as newer:
            assert (await older.call.code()).name == "OK"
            await newer.send(resume=Resume(job_id=job.job_id, lease_token=token))
            await newer.receive("resumed")
            await newer.report(job.job_id, token, 1, succeeded())
            await newer.acknowledged(1)
    assert (await b.get(job.job_id)).attempt == 1


async def test_reports_and_cancellations_through_other_nodes_do_not_disturb_each_other(
    rpcs: list[Rpc],
) -> None:
    """A session goes on, and acknowledges all accepted reports, while others append to the same job (rule 12)."""
    a, b, c = rpcs
    async with b.session() as session:
        job = await a.submit()
        _, token = await session.take()

        async def disturb() -> None:
            # Each is an event, since it leaves less time than the one before, however slow the machine is.
            for grace in range(10_000, 6_000, -100):
                await c.cancel(job.job_id, grace=grace)

        disturbing = asyncio.create_task(disturb())
        for number in range(1, 201):
            await session.report(job.job_id, token, number, log_line(str(number)))
        acknowledged = 0
        while acknowledged < 200:
            response = await session.next()
            if response.HasField("acknowledged"):
                acknowledged = response.acknowledged.report_sequence
            else:
                assert response.HasField("cancel")
        await disturbing
        await Stores([rpc.jobs for rpc in rpcs]).sync()
        events = await a.log(job.job_id)

    texts = [event.log_written.text for event in events if event.HasField("log_written")]
    assert texts == [str(number) for number in range(1, 201)]
    assert list(range(1, len(events) + 1)) == [event.sequence for event in events]
    assert kinds(events).count("cancel_requested") == 40


async def test_a_parent_gets_one_update_for_its_children(rpcs: list[Rpc]) -> None:
    """Although every node sees their progress; and cancelling it cancels them at any node (rule 18)."""
    a, b, c = rpcs
    parent = await a.submit(kind="parent", dispatch=Dispatch.DISPATCH_EXTERNAL)
    async with b.session() as one, c.session() as other:
        children = [await rpcs[number % 3].submit(parent_job_id=parent.job_id) for number in range(6)]
        waiting = {child.job_id for child in children}
        takes = [asyncio.create_task(session.next()) for session in (one, other)]
        while len(waiting) > 2:
            done, _ = await asyncio.wait(takes, return_when=asyncio.FIRST_COMPLETED)
            for take in done:
                number = takes.index(take)
                session = (one, other)[number]
                given = take.result()
                if given.HasField("assignment"):
                    job_id = given.assignment.job.job_id
                    if len(waiting) > 2:
                        await session.report(job_id, given.assignment.lease_token, 1, succeeded())
                        waiting.discard(job_id)
                takes[number] = asyncio.create_task(session.next())

        async def is_told() -> bool:
            results = [event for event in await c.log(parent.job_id) if event.HasField("children_progressed")]
            return bool(results) and results[-1].children_progressed.ended == 4

        await eventually(is_told)
        results = [event for event in await c.log(parent.job_id) if event.HasField("children_progressed")]
        ended = [event.children_progressed.ended for event in results]
        assert sorted({*ended}) == ended

        await c.cancel(parent.job_id)
        for job_id in waiting:

            async def is_over(job_id: str = job_id) -> bool:
                return state_name(await a.get(job_id)) in ("CANCELLED", "CANCELLING")

            await eventually(is_over)
        for take in takes:
            take.cancel()
        await asyncio.gather(*takes, return_exceptions=True)
