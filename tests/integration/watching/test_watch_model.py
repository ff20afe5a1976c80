"""Watching against a model, over the wire: a real server that is killed, and any actions of subscribers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from milepost.v1 import (
    Claim,
    DeleteJobRequest,
    Delivery,
    Dispatch,
    Event,
    JobFilter,
    Resume,
    Retention,
    Stage,
    StageProgressed,
    StageStarted,
    Update,
    WatchJobsRequest,
)
from tests.support.forking import Forkery
from tests.support.model_watcher import ModelWatcher
from tests.support.rpc import WorkSession, connect, eventually, log_line, succeeded
from tests.support.server import Serve, Server
from tests.support.validators import EventView, History, check, key

_Result = TypeVar("_Result")

# Events that a job keeps. The server trims it, and sweeps, whenever it exceeds that by another quarter.
_NEWEST = 100

_RETENTIONS = {
    "all": Retention(),
    "newest": Retention(max_events=_NEWEST),
    "nothing": Retention(keep_events=Duration()),  # once it has ended and the server sweeps
}


class _Job:
    """The model of a job: its reports, and how many of them are certainly durable."""

    def __init__(self, job_id: str, kept: str) -> None:
        self.job_id = job_id
        self.kept = kept
        self.token = ""
        self.said: list[Update] = []
        self.durable = 0
        self.ended = False

    def is_trimmed_by(self, updates: int) -> bool:
        """Whether so many more updates, in one report, have the server trim it; its first events are two others."""
        last = 2 + len(self.said) + updates
        quarter = _NEWEST // 4
        return self.kept == "newest" and last > _NEWEST and last // quarter != (last - updates) // quarter


class WireModel(RuleBasedStateMachine):
    """Jobs that a worker reports on, subscribers, and a server that is killed. ``server`` is given to a subclass."""

    server: Server

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._session: WorkSession | None = None
        self.jobs: list[_Job] = []
        self.gone: set[str] = set()
        self.watchers: list[ModelWatcher] = []
        self.commits: list[tuple[int, Sequence[Event]]] = []
        self._position = 0
        self._swept = False

        async def connected() -> None:
            self.rpc = await self._stack.enter_async_context(connect(self.server.address))
            self.jobs_stub, self.kind = self.rpc.jobs, self.rpc.kind
            await self._keep_chronicle(from_latest=True)

        self.run(connected())

    def run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """Let all ready tasks run."""
        return self._runner.run(coroutine)

    def history(self, job_id: str) -> History:
        """All durable events, of all jobs or of one."""
        if job_id:
            return History.of_log([e for _, events in self.commits for e in events if e.job_id == job_id])
        ended = {job.job_id for job in self.jobs if job.ended} | self.gone
        return History(
            self.commits,
            dropped={key(event) for _, events in self.commits for event in events},
            thinned=ended,
        )

    # --- Jobs -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.jobs) < 4)
    @rule(kept=st.sampled_from(sorted(_RETENTIONS)))
    def submit(self, kept: str) -> None:
        """Submit a job, which a worker takes at once."""

        async def submitted() -> None:
            job = await self.rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL, retention=_RETENTIONS[kept])
            self.jobs.append(_Job(job.job_id, kept))
            session = await self._worker()
            await session.send(claim=Claim(job_id=job.job_id))
            _, self.jobs[-1].token = await session.take()
            await self._report(self.jobs[-1], Update(stage_started=StageStarted(stage=Stage(stage_id="s"))))

        self.run(submitted())

    @precondition(lambda self: any(not job.ended for job in self.jobs))
    @rule(data=st.data(), what=st.sampled_from(["l", "lp", "ppp", "plpl", "l" * 60]))
    def report(self, data: st.DataObject, what: str) -> None:
        """Report lines and progress, and receive the acknowledgement. Sixty lines trim some logs."""
        job = self._pick(data)
        self.run(self._report(job, *self._updates(job, what)))

    @precondition(lambda self: any(not job.ended for job in self.jobs))
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        """End a job."""
        job = self._pick(data)
        self.run(self._report(job, succeeded()))
        job.ended = True

    @precondition(lambda self: any(job.ended for job in self.jobs))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Delete an ended job."""
        job = data.draw(st.sampled_from([job for job in self.jobs if job.ended]))
        self.jobs.remove(job)
        self.gone.add(job.job_id)

        async def deleted() -> None:
            await self.jobs_stub.DeleteJob(DeleteJobRequest(job_id=job.job_id))

        self.run(deleted())

    @rule(data=st.data(), reports=st.booleans())
    def crash(self, data: st.DataObject, reports: bool) -> None:
        """``kill -9``, possibly right after a report; the restarted server thins and trims."""
        running = [job for job in self.jobs if not job.ended]
        unsure = data.draw(st.sampled_from(running)) if running and reports else None
        self.run(self._crashed(unsure))

    # --- Subscribers ------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.jobs and len(self.watchers) < 6)
    @rule(
        data=st.data(),
        start=st.sampled_from(["", "", "from_snapshot", "from_latest"]),
        latest=st.booleans(),
        most=st.sampled_from([0, 1, 7]),
    )
    def watch(self, data: st.DataObject, start: str, latest: bool, most: int) -> None:
        """Start a watch of a job, or of all."""
        job_id = data.draw(st.sampled_from(["", *(job.job_id for job in self.jobs)]))
        fields: dict[str, Any] = {"max_batch_events": most}
        if latest:
            fields["delivery"] = Delivery.DELIVERY_LATEST
        watcher = ModelWatcher(self, job_id, EventView(latest=latest), fields)
        self.watchers.append(watcher)
        self._watch(watcher, start)

    @precondition(lambda self: self.watchers)
    @rule(data=st.data())
    def cut(self, data: st.DataObject) -> None:
        """Disconnect a subscriber."""
        self.run(data.draw(st.sampled_from(self.watchers)).leave())

    @precondition(lambda self: self.watchers)
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        """Resume a disconnected subscriber."""
        watcher = data.draw(st.sampled_from(self.watchers))
        if not watcher.is_watching:
            self._watch(watcher, "from_snapshot" if watcher.recording.cursor is None else "")

    @rule()
    def settle(self) -> None:
        """Check that each subscriber has received everything, or was refused."""
        self.run(self._settled())
        self._check()

    def teardown(self) -> None:
        """At the end every subscriber has everything, and the log equals the reports."""

        async def finished() -> None:
            for watcher in self.watchers:
                if not watcher.is_watching:
                    watcher.watch(**({"from_snapshot": True} if watcher.recording.cursor is None else {}))
            await self._settled()
            for watcher in self.watchers:
                await watcher.leave()

        try:
            self.run(finished())
            self._check()
            for job in self.jobs:
                said = [_what(update) for update in job.said[: job.durable]]
                log = self.history(job.job_id).commits
                assert said == [_what(e) for commit in log for e in commit.events if e.sequence > 2]
        finally:
            self.run(self._stack.aclose())
            self._runner.close()

    # --- Machinery --------------------------------------------------------------------------------------------------

    def _pick(self, data: st.DataObject) -> _Job:
        return data.draw(st.sampled_from([job for job in self.jobs if not job.ended]))

    def _updates(self, job: _Job, what: str) -> list[Update]:
        number = len(job.said)
        return [
            log_line(str(number + index))
            if kind == "l"
            else Update(stage_progressed=StageProgressed(stage_id="s", current=number + index))
            for index, kind in enumerate(what)
        ]

    def _watch(self, watcher: ModelWatcher, start: str) -> None:
        async def watching() -> None:
            watcher.watch(**({start: True} if start else {}))

        self.run(watching())

    async def _worker(self) -> WorkSession:
        if self._session is None:
            self._session = await self._stack.enter_async_context(self.rpc.session(kinds=[]))
        return self._session

    @asynccontextmanager
    async def _sweep(self) -> AsyncIterator[None]:
        """Has the server sweep, and waits until it has: a job that ended last, and is not kept, is gone.

        A sweep that goes on might drop the events of a job that ends, before the chronicle has them.
        """
        last = await self.rpc.submit(
            kind=f"{self.kind}-last",
            dispatch=Dispatch.DISPATCH_EXTERNAL,
            retention=Retention(keep_job=Duration()),
        )
        session = await self._worker()
        await session.send(claim=Claim(job_id=last.job_id))
        _, token = await session.take()
        await session.report(last.job_id, token, 1, succeeded())
        await session.acknowledged(1)
        self._swept = True
        yield

        async def is_gone() -> bool:
            try:
                await self.rpc.get(last.job_id)
            except grpc.aio.AioRpcError as error:
                return error.code() == grpc.StatusCode.NOT_FOUND
            return False

        await eventually(is_gone)

    async def _report(self, job: _Job, *updates: Update) -> None:
        if job.is_trimmed_by(len(updates)):
            async with self._sweep():
                await self._report_and_read(job, *updates)
        else:
            await self._report_and_read(job, *updates)

    async def _report_and_read(self, job: _Job, *updates: Update) -> None:
        session = await self._worker()
        await session.report(job.job_id, job.token, job.durable + 1, *updates)
        job.said += updates
        await session.acknowledged(len(job.said))
        job.durable = len(job.said)
        await self._keep_chronicle()

    async def _crashed(self, unsure: _Job | None) -> None:
        async with self._sweep():
            if unsure is not None:
                updates = self._updates(unsure, "lpl")
                unsure.said += updates
                session = await self._worker()
                await session.report(unsure.job_id, unsure.token, unsure.durable + 1, *updates)
            self.server.kill()
            self.server.restart()
            self._session = None
        session = await self._worker()
        for job in self.jobs:
            if not job.ended:
                await session.send(resume=Resume(job_id=job.job_id, lease_token=job.token))
                stands = (await session.receive("resumed")).resumed.acknowledged_report_sequence
                assert stands in (job.durable, len(job.said))
                del job.said[stands:]
                job.durable = stands
        await self._keep_chronicle()

    async def _keep_chronicle(self, **start: Any) -> None:
        """Read the durable events before any of them can be dropped."""
        request = WatchJobsRequest(
            filter=JobFilter(kinds=[self.kind]),
            max_batch_events=1,
            no_follow=True,
            **(start or {"after_position": self._position}),
        )
        async for frame in self.jobs_stub.WatchJobs(request):
            if frame.HasField("events"):
                self.commits.append((frame.events.position, frame.events.events))
            self._position = max(
                self._position, frame.events.position, frame.caught_up.sequence, frame.status.cursor
            )

    async def _settled(self) -> None:
        async def all_have_all() -> bool:
            return not any(watcher.is_watching and watcher.lacks() for watcher in self.watchers)

        await eventually(all_have_all)

    def _check(self) -> None:
        for watcher in self.watchers:
            check(watcher.recording, self.history(watcher.job_id), watcher.view)
            match watcher.reason:
                case "":
                    pass
                case "JOB_NOT_FOUND":
                    assert watcher.job_id in self.gone
                case "SEQUENCE_TRIMMED":
                    assert self._swept or self.gone
                case "STORE_UNAVAILABLE":
                    assert self._swept
                case unexpected:
                    raise AssertionError(unexpected)


def _what(said: Update | Event) -> str:
    """The part of an update that its event has, too."""
    return f"{said.stage_started.stage.stage_id} {said.stage_progressed.current} {said.log_written.text}"


_MODEL = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    max_examples=5,
    stateful_step_count=15,
    derandomize=True,
)


def _try(data: Path, forkery: Forkery, serve: Serve, how: settings) -> None:
    options = ("--keep-progress", "0", "--lease-ttl", "3600", "--sweep-interval", "1h")
    with serve(data, *options, forkery=forkery) as process:

        class Model(WireModel):
            server = process

        run_state_machine_as_test(Model, settings=how)


def test_watching(tmp_path: Path, forkery: Forkery, serve: Serve) -> None:
    """Each subscriber receives exactly its events, and is refused only if events were dropped."""
    _try(tmp_path / "data", forkery, serve, _MODEL)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_watching_at_length(tmp_path: Path, forkery: Forkery, serve: Serve) -> None:
    """The long version."""
    at_length = settings(_MODEL, max_examples=500, stateful_step_count=50, derandomize=False)
    _try(tmp_path / "data", forkery, serve, at_length)
