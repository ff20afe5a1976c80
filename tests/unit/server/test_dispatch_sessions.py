"""Worker sessions without gRPC: the order of concurrent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.contract.reasons import reason_name
from milepost.server.access.audit import AuditLog
from milepost.server.access.current_principal import set_principal
from milepost.server.access.limiter import Limiter
from milepost.server.access.principal import ANONYMOUS
from milepost.server.base.job_encoding import JobResponse
from milepost.server.base.refusal import Refusal
from milepost.server.calls.call_memory import CallMemory
from milepost.server.dispatch.dispatcher import Dispatcher
from milepost.server.followers.deadlines import Deadlines
from milepost.server.followers.transitions import follow_transitions
from milepost.server.rpc.worker_service import WorkerService
from milepost.server.service.job_access import JobAccess
from milepost.v1 import (
    Capacity,
    Claim,
    Dispatch,
    Hello,
    Job,
    JobState,
    Release,
    Report,
    Resume,
    RetryPolicy,
    WorkRequest,
    WorkResponse,
)
from tests.support.responses import decoded
from tests.support.rpc import eventually
from tests.unit.server.core import Core
from tests.unit.server.states import ended

LEASE = 30.0


class Talk:
    """One session, message by message."""

    def __init__(self, service: WorkerService) -> None:
        self._said: asyncio.Queue[WorkRequest | None] = asyncio.Queue()
        self._heard: asyncio.Queue[WorkResponse] = asyncio.Queue()
        set_principal(ANONYMOUS)
        self._task = asyncio.create_task(service.Work(self._incoming(), cast("Any", self)))

    async def write(self, response: WorkResponse | JobResponse) -> None:
        """See the context of a gRPC call."""
        self._heard.put_nowait(decoded(response))

    def peer(self) -> str:
        """See the context of a gRPC call."""
        return "test"

    def say(self, **message: Any) -> None:
        """Send one message."""
        self._said.put_nowait(WorkRequest(**message))

    async def is_heard(self) -> None:
        """Wait until the server has read all messages."""
        async with asyncio.timeout(30):
            await self._said.join()

    async def hears(self, kind: str) -> WorkResponse:
        """The next message, which must be of this kind."""
        async with asyncio.timeout(30):
            response = await self._heard.get()
        assert kind == response.WhichOneof("message"), response
        return response

    async def takes(self) -> tuple[Job, str]:
        """The next assignment."""
        assignment = (await self.hears("assignment")).assignment
        return assignment.job, assignment.lease_token

    async def refused(self) -> tuple[str, str]:
        """The job and the reason of the next rejection."""
        rejected = (await self.hears("rejected")).rejected
        return rejected.job_id, reason_name(rejected.reason)

    async def over(self) -> None:
        """Wait until the server has ended the session. Raises its error."""
        async with asyncio.timeout(30):
            await self._task

    async def leave(self) -> None:
        """Break the connection."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _incoming(self) -> AsyncIterator[WorkRequest]:
        while (request := await self._said.get()) is not None:
            self._said.task_done()
            yield request


class JobTable:
    """The server's side of all sessions."""

    def __init__(self, core: Core) -> None:
        self.dispatcher = Dispatcher(core.attempts, core.sessions, core.clock, core.tasks)
        self.deadlines = Deadlines(core.journal, core.sessions, core.clock, core.tasks, LEASE)
        follow_transitions(
            core.log,
            core.sessions.on_transition,
            self.dispatcher.on_transition,
            self.deadlines.on_transition,
        )
        self.service = WorkerService(
            core.attempts,
            core.reports,
            self.dispatcher,
            core.sessions,
            self.deadlines,
            JobAccess(core.log, AuditLog(None, is_open=False)),
            LEASE,
            CallMemory(),
            Limiter(),
        )
        self._talks: list[Talk] = []

    async def session(self, **hello: Any) -> Talk:
        """Open a session."""
        talk = Talk(self.service)
        self._talks.append(talk)
        talk.say(hello=Hello(**{"worker_id": "w", "kinds": ["k"], "max_concurrency": 1, **hello}))
        await talk.hears("welcome")
        return talk

    async def close(self) -> None:
        """Close it."""
        for talk in self._talks:
            await talk.leave()
        self.dispatcher.close()
        self.deadlines.close()


@asynccontextmanager
async def _desk(core: Core) -> AsyncIterator[JobTable]:
    opened = JobTable(core)
    for _, job in (await core.log.active()).jobs:
        opened.dispatcher.on_transition(job)
        opened.deadlines.on_transition(job)
    yield opened
    await opened.close()


@pytest.fixture
async def desk(core: Core) -> AsyncIterator[JobTable]:
    """The job table of the core."""
    async with _desk(core) as opened:
        yield opened


async def state(core: Core, job_id: str = "j") -> tuple[str, int, int]:
    """The job's state, attempt and failed attempts."""
    job = await core.journal.find(job_id)
    return JobState.Name(job.state).removeprefix("JOB_STATE_"), job.attempt, job.failed_attempts


async def test_a_resumption_does_not_outlive_its_job(
    core: Core, desk: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that ends while it is resumed takes no capacity of the worker."""
    await core.submit()
    first = await desk.session()
    _, token = await first.takes()
    await first.leave()
    second = await desk.session(worker_id="second")
    find = core.log.find

    async def ends_meanwhile(job_id: str, *, caller: str) -> Job | None:
        monkeypatch.undo()
        found = await find(job_id, caller=caller)
        await core.cancel(0)
        return found

    monkeypatch.setattr(core.log, "find", ends_meanwhile)
    second.say(resume=Resume(job_id="j", lease_token=token))
    assert await second.refused() == ("j", "JOB_ENDED")

    await core.submit("next")
    assert (await second.takes())[0].job_id == "next"


async def test_the_holder_of_a_job_is_notified_of_its_end(core: Core, desk: JobTable) -> None:
    """Also a worker that has reported the end of an earlier attempt."""
    await core.submit(dispatch=Dispatch.DISPATCH_EXTERNAL, retry_policy=RetryPolicy(max_attempts=2))
    token = await core.start(claimed=True)
    talk = await desk.session()
    failed = ended(JobState.JOB_STATE_FAILED, retryable=True)
    talk.say(report=Report(job_id="j", lease_token=token, first_report_sequence=1, updates=[failed]))
    await talk.hears("acknowledged")
    talk.say(claim=Claim(job_id="j"))
    await talk.takes()

    await core.cancel(0)
    assert await talk.refused() == ("j", "JOB_ENDED")


async def test_who_loses_a_job_is_notified_before_another_gets_it(core: Core, desk: JobTable) -> None:
    """Also if another worker takes it at the same moment."""
    await core.submit(retry_policy=RetryPolicy(max_attempts=2, initial_backoff=Duration()))
    loses = await desk.session(worker_id="loses", max_concurrency=1)
    await loses.takes()
    takes = await desk.session(worker_id="takes")

    await core.pass_time(0, lease_is_out=True)
    assert await loses.refused() == ("j", "LEASE_LOST")
    assert (await takes.takes())[0].attempt == 2


async def test_a_worker_that_reconnects_loses_assignments_that_it_never_received(
    core: Core, desk: JobTable
) -> None:
    """At once, and without a failed attempt; it keeps its own jobs, and those of another run are not its own."""
    for job_id in ("has", "lost", "others"):
        await core.submit(job_id)
    first = await desk.session(instance="one", max_concurrency=2)
    (_, token), _ = await first.takes(), await first.takes()
    other = await desk.session(instance="another")
    await other.takes()
    await first.leave()

    again = await desk.session(instance="one", job_ids=["has"])
    job, _ = await again.takes()
    assert (job.job_id, job.attempt, job.failed_attempts) == ("lost", 2, 0)
    again.say(resume=Resume(job_id="has", lease_token=token))
    await again.hears("resumed")
    assert [await state(core, "has"), await state(core, "others")] == [("RUNNING", 1, 0)] * 2
    given_back = next(e for e in await core.events("lost") if e.HasField("attempt_ended"))
    assert given_back.attempt_ended.failure.code == "RELEASED"


async def test_a_session_that_is_still_open_is_ended_by_the_next_of_its_run(
    core: Core, desk: JobTable
) -> None:
    """The server may notice a broken connection long after the worker."""
    await core.submit()
    older = await desk.session(instance="one")
    await older.takes()

    newer = await desk.session(instance="one")
    await older.over()
    assert (await newer.takes())[0].attempt == 2


async def test_what_is_on_its_way_to_an_older_session_comes_back(core: Core, desk: JobTable) -> None:
    """Its start is not durable yet when the worker reconnects."""
    await core.submit()
    core.log.hold(1)
    older = await desk.session(instance="one")
    await core.log.holds(1)
    newer = await desk.session(instance="one")
    core.log.let_go()

    assert (await newer.takes())[0].attempt == 2
    await older.over()


async def test_what_was_lost_before_a_restart_is_given_back_after_it(core: Core) -> None:
    """The store has the worker's instance."""
    await core.submit()
    async with _desk(core) as before:
        await (await before.session(instance="one")).takes()

    async with _desk(core) as after:
        other = await after.session(instance="another")
        again = await after.session(instance="one", kinds=[])
        assert (await other.takes())[0].attempt == 2
        await again.leave()


async def test_a_job_that_was_to_be_cancelled_is_when_nobody_has_it(core: Core, desk: JobTable) -> None:
    """Its worker never got it, so nothing has to be stopped."""
    await core.submit()
    await (await desk.session(instance="one")).takes()
    await core.cancel(30)
    await desk.session(instance="one")

    await eventually(lambda: stands(core, "CANCELLED", 1))
    assert not (await core.journal.find("j")).cancellation.forced


async def test_a_worker_without_an_instance_has_its_lease(core: Core, desk: JobTable) -> None:
    """Which jobs it has got is unknown."""
    await core.submit()
    await (await desk.session()).takes()
    await desk.session()

    assert await state(core) == ("RUNNING", 1, 0)


async def test_two_workers_of_one_name_are_two(core: Core, desk: JobTable) -> None:
    """Each has its own jobs; a resumed job moves to the other worker, and its capacity counts there."""
    for number in range(3):
        await core.submit(f"j{number}")
    one, two = await desk.session(), await desk.session(max_concurrency=2)
    (first, token), (second, _) = await one.takes(), await two.takes()
    assert (first.job_id, second.job_id) == ("j0", "j1")
    assert (await two.takes())[0].job_id == "j2"

    await core.submit("j3")
    two.say(resume=Resume(job_id="j0", lease_token=token))
    await two.hears("resumed")
    assert (await one.takes())[0].job_id == "j3"
    await core.cancel(30, "j0")
    assert (await two.hears("cancel")).cancel.job_id == "j0"


async def test_a_worker_that_takes_less_than_it_has_is_given_no_more(core: Core, desk: JobTable) -> None:
    """Until it has fewer jobs."""
    talk = await desk.session(max_concurrency=2)
    for number in range(3):
        await core.submit(f"j{number}")
    tokens = [(await talk.takes())[1] for _ in range(2)]
    talk.say(capacity=Capacity(max_concurrency=1))
    talk.say(release=Release(job_id="j0", lease_token=tokens[0]))
    other = await desk.session(worker_id="other", max_concurrency=2)
    assert sorted([(await other.takes())[0].job_id, (await other.takes())[0].job_id]) == ["j0", "j2"]

    await core.submit("j3")
    talk.say(release=Release(job_id="j1", lease_token=tokens[1]))
    assert (await talk.takes())[0].job_id == "j1"


async def test_a_claim_takes_up_room(core: Core, desk: JobTable) -> None:
    """From the request on; a refusal frees it."""
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    talk = await desk.session()
    talk.say(claim=Claim(job_id="e"))
    _, token = await talk.takes()
    await core.submit()
    for job_id, reason in (("e", "LEASE_LOST"), ("nowhere", "JOB_NOT_FOUND"), ("j", "INVALID_FIELD")):
        talk.say(claim=Claim(job_id=job_id))
        assert (job_id, reason) == await talk.refused()
    assert await state(core) == ("QUEUED", 0, 0)

    talk.say(release=Release(job_id="e", lease_token=token))
    assert (await talk.takes())[0].job_id == "j"


async def test_a_claim_of_a_job_that_somebody_has_changes_nothing(core: Core, desk: JobTable) -> None:
    """The holder continues, and gets its messages."""
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    has, asks = await desk.session(kinds=[]), await desk.session(kinds=[])
    has.say(claim=Claim(job_id="e"))
    await has.takes()
    asks.say(claim=Claim(job_id="e"))
    has.say(claim=Claim(job_id="e"))
    assert [await asks.refused(), await has.refused()] == [("e", "LEASE_LOST")] * 2

    await core.cancel(30, "e")
    assert (await has.hears("cancel")).cancel.job_id == "e"


async def test_a_stopping_server_gives_nothing_out(core: Core, desk: JobTable) -> None:
    """Released and claimed jobs wait for the next server."""
    await core.submit("e", dispatch=Dispatch.DISPATCH_EXTERNAL)
    talk = await desk.session(max_concurrency=2)
    await core.submit()
    _, token = await talk.takes()
    desk.dispatcher.close()
    talk.say(release=Release(job_id="j", lease_token=token))
    talk.say(claim=Claim(job_id="e"))
    assert await talk.refused() == ("e", "DRAINING")

    assert await state(core) == ("QUEUED", 1, 0)
    assert await state(core, "e") == ("QUEUED", 0, 0)


async def test_what_a_stopping_server_cannot_tell_is_given_back(core: Core, desk: JobTable) -> None:
    """A job that was assigned at the last moment."""
    await core.submit()
    core.log.hold(1)
    talk = await desk.session()
    await core.log.holds(1)
    desk.dispatcher.close()
    await desk.service.drain()
    core.log.let_go()
    await talk.hears("drain")
    with pytest.raises(Refusal, match="DRAINING"):
        await talk.over()

    await eventually(lambda: stands(core, "QUEUED", 1))


async def stands(core: Core, name: str, attempt: int) -> bool:
    """Whether the job has this state, after this many attempts without failures."""
    return await state(core) == (name, attempt, 0)
