"""The wiring of the server's parts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, cast

import pytest

from milepost.server.access.current_principal import set_principal
from milepost.server.access.principal import ANONYMOUS
from milepost.server.followers.retention import RetentionPolicy
from milepost.server.log.event_log import JobPage
from milepost.server.log.memory.memory_disk import MemoryDisk
from milepost.server.log.memory.memory_log import MemoryEventLog
from milepost.server.log.node_presence import NoPeers, Peers, Presence
from milepost.server.messages.job_encoding import JobResponse
from milepost.server.runtime.core import Core
from milepost.server.watching.watch_admission import WatchAdmission
from milepost.v1 import (
    Claim,
    Dispatch,
    Heartbeat,
    Hello,
    Report,
    ReportJobRequest,
    SubmitJobRequest,
    WorkRequest,
    WorkResponse,
)
from tests.support.responses import decoded
from tests.support.rpc import eventually, log_line


class RecordedPresence(NoPeers):
    """Records the announcements to other nodes."""

    def __init__(self) -> None:
        self.renewed: list[str] = []
        self.instances: list[str] = []

    def renew_leases(self, job_ids: Iterable[str]) -> None:
        """Record the jobs."""
        self.renewed += job_ids

    def worker_connected(self, instance: str) -> None:
        """Record the instance."""
        self.instances.append(instance)


class SharedLog(MemoryEventLog):
    """A log that other nodes share."""

    def __init__(self, disk: MemoryDisk) -> None:
        super().__init__(disk)
        self.others = RecordedPresence()

    async def share_presence(self, here: Presence, interval: float) -> Peers:
        """See ``Store``."""
        return self.others


class PagedLog(MemoryEventLog):
    """A log of which a start reads one unfinished job at a time."""

    async def active(self, after: int = 0, max_bytes: int = 1) -> JobPage:
        """See ``EventLog``."""
        return await super().active(after, max_bytes)


class Worker:
    """A session without gRPC."""

    def __init__(self) -> None:
        self.requests: asyncio.Queue[WorkRequest] = asyncio.Queue()
        self.responses: asyncio.Queue[WorkResponse] = asyncio.Queue()
        self.size = 0

    async def write(self, response: WorkResponse | JobResponse) -> None:
        """See the context of a gRPC call."""
        self.responses.put_nowait(decoded(response))

    def peer(self) -> str:
        """See the context of a gRPC call."""
        return "ipv4:127.0.0.1:1"

    def __aiter__(self) -> Worker:
        return self

    async def __anext__(self) -> WorkRequest:
        request = await self.requests.get()
        self.size = request.ByteSize()
        return request

    async def hears(self, kind: str) -> WorkResponse:
        """The next message, which must be of this kind."""
        response = await self.responses.get()
        assert response.WhichOneof("message") == kind
        return response


@pytest.mark.parametrize("way", ["heartbeat", "report", "ReportJob", "ReportJob without updates"])
async def test_renewals_are_sent_to_other_nodes(way: str) -> None:
    """However a worker renews its lease, every node is notified, since each has a timer for it (rule 14)."""
    log = SharedLog(MemoryDisk())
    core = Core(
        log,
        lease_ttl=30.0,
        keep=RetentionPolicy(),
        sweep_interval=60.0,
        tail_memory=1 << 20,
        admission=WatchAdmission(100, 100),
    )
    await log.start()
    await core.start()
    set_principal(ANONYMOUS)
    worker = Worker()
    context = cast("Any", worker)
    await core.job_service.SubmitJob(
        SubmitJobRequest(job_id="j", kind="k", dispatch=Dispatch.DISPATCH_EXTERNAL), context
    )
    worker.requests.put_nowait(WorkRequest(hello=Hello(worker_id="w", instance="run-1")))
    session = asyncio.create_task(core.worker_service.Work(worker, context))
    await worker.hears("welcome")
    worker.requests.put_nowait(WorkRequest(claim=Claim(job_id="j")))
    token = (await worker.hears("assignment")).assignment.lease_token
    assert log.others.instances == ["run-1"]
    log.others.renewed.clear()

    match way:
        case "heartbeat":
            worker.requests.put_nowait(WorkRequest(heartbeat=Heartbeat()))
        case "report":
            report = Report(job_id="j", lease_token=token, first_report_sequence=1, updates=[log_line("x")])
            worker.requests.put_nowait(WorkRequest(report=report))
        case _:
            updates = [] if "without" in way else [log_line("x")]
            request = ReportJobRequest(
                job_id="j", lease_token=token, first_report_sequence=1, updates=updates
            )
            await core.worker_service.ReportJob(request, context)

    async def renewed() -> bool:
        return bool(log.others.renewed)

    await eventually(renewed)
    assert set(log.others.renewed) == {"j"}
    session.cancel()
    await asyncio.wait([session])
    await core.drain()
    await core.close()
    await log.close()


async def test_a_start_resumes_all_jobs_that_have_not_ended() -> None:
    """It reads them page by page: queued ones are dispatched in their order, running ones have their timers."""
    set_principal(ANONYMOUS)
    disk = MemoryDisk()
    for number in range(2):  # the second is a restart
        log = PagedLog(disk)
        core = Core(
            log,
            lease_ttl=30.0,
            keep=RetentionPolicy(),
            sweep_interval=60.0,
            tail_memory=1 << 20,
            admission=WatchAdmission(100, 100),
        )
        await log.start()
        await core.start()
        worker = Worker()
        context = cast("Any", worker)
        if not number:
            for name in ("a", "b", "c", "d"):
                await core.job_service.SubmitJob(SubmitJobRequest(job_id=name, kind="k"), context)
        hello = Hello(worker_id="w", kinds=["k"], max_concurrency=1 if not number else 3)
        worker.requests.put_nowait(WorkRequest(hello=hello))
        session = asyncio.create_task(core.worker_service.Work(worker, context))
        await worker.hears("welcome")
        assigned = [
            (await worker.hears("assignment")).assignment.job.job_id for _ in range(hello.max_concurrency)
        ]

        assert (["a"], ["b", "c", "d"])[number] == assigned
        assert set("abcd"[: 1 + 3 * number]) == core.deadlines.watched
        session.cancel()
        await asyncio.wait([session])
        await core.drain()
        await core.close()
        await log.close()
