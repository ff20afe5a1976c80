"""Limits of principals at a real server."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
import pytest
from google.protobuf.struct_pb2 import Struct
from grpc_health.v1 import health_pb2, health_pb2_grpc
from structlog.testing import capture_logs

from milepost.server.access.authenticator import Authenticator
from milepost.server.access.credentials import tokens
from milepost.server.access.credentials.credential_settings import CredentialSettings
from milepost.server.access.limits import limiter, throttling
from milepost.server.access.limits.burst_pace import BurstPace
from milepost.server.access.limits.limiter import Limiter
from milepost.server.access.limits.principal_limits import Limits
from milepost.server.access.limits.throttling import Throttling
from milepost.server.followers.deadlines import Deadlines
from milepost.server.log.log_errors import StoreUnavailable
from milepost.server.rpc import work_stream
from milepost.server.runtime.server import Server, Settings
from milepost.v1 import Claim, Dispatch, Job, ReportJobRequest, WhoAmIRequest
from tests.support.principals import ALL
from tests.support.refused import Refused, refused
from tests.support.rpc import Rpc, connect, eventually, log_line
from tests.support.token_files import Tokens


@asynccontextmanager
async def serving(known: Tokens, **settings: Any) -> AsyncIterator[str]:
    """A server in this process, on the data that an earlier one has left; its address."""
    credentials = CredentialSettings(known.path)
    data = known.path.with_name("data")
    server = Server(Settings("127.0.0.1:0", data, credentials=credentials, **settings))
    await server.start()
    try:
        yield server.address
    finally:
        await server.stop()


async def used(rpc: Rpc) -> dict[str, int]:
    """What a principal uses of its limits, as it is told itself; rates depend on the time."""
    response = await rpc.jobs.WhoAmI(WhoAmIRequest())
    return {limit.name: limit.used for limit in response.limits if not limit.burst}


def of_bytes(size: int) -> Struct:
    """An input of about so many bytes."""
    given = Struct()
    given.update({"text": "x" * size})
    return given


async def test_unfinished_jobs(known: Tokens) -> None:
    """Beyond its limit a principal submits nothing until a job of it ends; another one of the owner does."""
    token, other = known.add("ci", ["a"], *ALL), known.add("other", ["a"], *ALL)
    async with (
        serving(known, limits=Limits(jobs=3)) as address,
        connect(address, token=token) as rpc,
        connect(address, token=other) as beside,
    ):
        first = await rpc.submit(request_id="first")
        answers = await asyncio.gather(*(rpc.submit() for _ in range(5)), return_exceptions=True)
        assert [answer.submitted_by for answer in answers if isinstance(answer, Job)] == ["ci", "ci"]
        refusal = await refused(rpc.submit())
        assert (refusal.code, refusal.reason, refusal.metadata) == (
            "RESOURCE_EXHAUSTED",
            "LIMIT_REACHED",
            {"limit": "max-jobs-per-principal"},
        )
        assert refusal.retry_delay
        assert (await rpc.submit(request_id="first")).job_id == first.job_id
        await beside.submit()
        await rpc.cancel(first.job_id)
        await rpc.submit()
        assert (await used(rpc))["jobs"] == 3


async def test_counts_survive_a_restart(known: Tokens) -> None:
    """Jobs and the bytes of their inputs are counted from the log, not those that have ended."""
    token = known.add("ci", ["a"], *ALL, limits='["jobs=2", "input=1000"]')
    async with serving(known) as address, connect(address, token=token) as rpc:
        ended = await rpc.submit(input=of_bytes(800))
        refusal = await refused(rpc.submit(input=of_bytes(800)))
        assert refusal.metadata == {"limit": "max-input-per-principal"}
        await rpc.cancel(ended.job_id)
        job = await rpc.submit(input=of_bytes(800))
        assert job.input_size == job.input.ByteSize() > 800
    async with serving(known) as address, connect(address, token=token) as rpc:
        assert await used(rpc) == {"watches": 0, "jobs": 1, "input": job.input_size}
        assert (await refused(rpc.submit(input=of_bytes(800)))).reason == "LIMIT_REACHED"
        await rpc.submit()
        assert (await refused(rpc.submit())).metadata == {"limit": "max-jobs-per-principal"}


async def test_watches(known: Tokens) -> None:
    """A credential has its own limit of watches; what is open is told."""
    token = known.add("ci", ["a"], *ALL, limits='["watches=1"]')
    async with serving(known) as address, connect(address, token=token) as rpc:
        job = await rpc.submit()
        watch = rpc.watch(job.job_id)
        await watch.read()
        assert (await used(rpc))["watches"] == 1
        assert (await refused(rpc.watch(job.job_id).read())).reason == "LIMIT_REACHED"
        watch.cancel()

        async def is_closed() -> bool:
            return (await used(rpc))["watches"] == 0

        await eventually(is_closed)
        await rpc.watch(job.job_id).read()


async def test_requests(known: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    """A principal that calls too often is refused before its request is received; others are not."""
    monkeypatch.setattr(throttling, "DELAYED_LIMIT", 0)
    token, other = known.add("ci", ["a"], *ALL, limits='["requests=1/s"]'), known.add("other", ["a"], *ALL)
    async with (
        serving(known) as address,
        connect(address, token=token) as rpc,
        connect(address, token=other) as beside,
    ):
        job = await beside.submit()
        answers = await asyncio.gather(*(rpc.get(job.job_id) for _ in range(100)), return_exceptions=True)
        refusals = [Refused.of(answer) for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
        assert len(refusals) >= 80
        refusal = refusals[-1]
        assert (refusal.reason, refusal.metadata) == (
            "LIMIT_REACHED",
            {"limit": "max-requests-per-principal"},
        )
        assert refusal.retry_delay
        assert [found.job_id for found in await asyncio.gather(*(beside.get(job.job_id) for _ in range(100)))]


async def test_refusals_are_counted(known: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log has one line of a call that was refused, whose principal it names, and no line of the others."""
    monkeypatch.setattr(throttling, "DELAYED_LIMIT", 0)
    token = known.add("ci", ["a"], *ALL, limits='["requests=1/s"]')
    async with serving(known) as address, connect(address, token=token) as rpc:
        with capture_logs() as lines:
            answers = await asyncio.gather(*(rpc.get("none") for _ in range(50)), return_exceptions=True)
            refusals = [Refused.of(answer) for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
        reasons = [refusal.reason for refusal in refusals]
        assert reasons.count("LIMIT_REACHED") >= 30
        logged = [line["subject"] for line in lines if line.get("reason") == "LIMIT_REACHED"]
        assert logged == ["ci"]


async def test_health_checks_are_answered(known: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that come with the token of a principal that calls too often: they need none, and have no limit."""
    monkeypatch.setattr(throttling, "DELAYED_LIMIT", 0)
    token = known.add("ci", ["a"], *ALL, limits='["requests=1/s"]')
    async with serving(known) as address, connect(address, token=token) as rpc:
        health: Any = health_pb2_grpc.HealthStub(rpc.channel)
        answers = await asyncio.gather(*(rpc.get("none") for _ in range(50)), return_exceptions=True)
        refusals = [Refused.of(answer) for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
        assert "LIMIT_REACHED" in [refusal.reason for refusal in refusals]
        response = await health.Check(health_pb2.HealthCheckRequest())
        assert response.status == health_pb2.HealthCheckResponse.SERVING


async def test_calls_whose_credential_cannot_be_looked_up_are_answered(
    known: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of a share while the store is away; also while another principal calls too often."""
    monkeypatch.setattr(throttling, "DELAYED_LIMIT", 0)
    token = known.add("ci", ["a"], *ALL, limits='["requests=1/s"]')

    async def fail(*_: object) -> None:
        raise StoreUnavailable("It is away.")

    async with serving(known) as address, connect(address, token=token) as rpc:
        await asyncio.gather(*(rpc.get("none") for _ in range(50)), return_exceptions=True)
        monkeypatch.setattr(Authenticator, "authenticate", fail)
        refusal = await refused(rpc.jobs.WhoAmI(WhoAmIRequest(), timeout=120.0))
        assert (refusal.reason, refusal.metadata) == ("STORE_UNAVAILABLE", {"outcome": "unknown"})


async def test_delayed_calls(known: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that its client gives up stays delayed, so that it cannot make more; all end when the server stops."""
    monkeypatch.setattr(throttling, "SHORTEST_DELAY", 3600.0)
    (throttled,) = made = [Throttling()]
    monkeypatch.setattr(limiter, "Throttling", made.pop)
    token = known.add("ci", ["a"], *ALL, limits='["requests=1/s"]')
    async with serving(known) as address, connect(address, token=token) as rpc:
        calls = [asyncio.create_task(rpc.get("none")) for _ in range(20)]

        async def are_delayed() -> bool:
            return throttled.delayed == len([call for call in calls if not call.done()]) > 5

        await eventually(are_delayed)
        delayed = throttled.delayed
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        # The server reads of the cancelled calls before it reads of this one.
        late = rpc.jobs.WhoAmI(WhoAmIRequest())

        async def is_delayed() -> bool:
            return throttled.delayed == delayed + 1

        await eventually(is_delayed)
        late.cancel()
    assert throttled.delayed == 0


async def test_delayed_calls_of_strangers_leave_no_lines(
    known: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are counted, also where the stranger gives them up: who resets calls without end does not fill the log."""
    monkeypatch.setattr(limiter, "STRANGERS_CALLS", 0.1)
    monkeypatch.setattr(throttling, "SHORTEST_DELAY", 3600.0)
    (throttled,) = made = [Throttling()]
    monkeypatch.setattr(limiter, "Throttling", made.pop)
    token = known.add("ci", ["a"], *ALL)
    with capture_logs() as lines:
        async with serving(known) as address, connect(address) as stranger:
            calls = [asyncio.create_task(stranger.get("none")) for _ in range(20)]

            async def are_delayed() -> bool:
                return throttled.delayed == len([call for call in calls if not call.done()]) > 15

            await eventually(are_delayed)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            # The server reads of the cancelled calls before it reads of this one.
            await stranger.jobs.WhoAmI(WhoAmIRequest(), metadata=(("authorization", f"Bearer {token}"),))
    codes = [line["code"] for line in lines if line["event"] == "call"]
    refused_calls = [call for call in calls if not call.cancelled()]
    assert codes == [*["UNAUTHENTICATED"] * len(refused_calls), "OK"]


async def test_reports_are_held_back(known: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that reports too much loses no report and no lease: the server only reads it later (rule 15)."""
    pauses: list[float] = []
    counting = Limiter.use_events

    def noting(self: Limiter, principal: Any, count: int) -> float:
        pauses.append(counting(self, principal, count))
        return pauses[-1]

    monkeypatch.setattr(Limiter, "use_events", noting)
    token = known.add("ci", ["a"], *ALL, limits='["events=100/s"]')
    async with serving(known, lease_ttl=1.0) as address, connect(address, token=token) as rpc:
        job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
        async with rpc.session() as session:
            await session.send(claim=Claim(job_id=job.job_id))
            assigned = (await session.receive("assignment")).assignment
            lines = [log_line("x")] * 600
            await session.report(job.job_id, assigned.lease_token, 1, *lines)
            await session.report(job.job_id, assigned.lease_token, 601, *lines)
            await session.report(job.job_id, assigned.lease_token, 1201, log_line("after"))
            await session.acknowledged(1201)
            assert max(pauses) > 1.0
            call = ReportJobRequest(
                job_id=job.job_id,
                lease_token=assigned.lease_token,
                first_report_sequence=1202,
                updates=[log_line("x")] * 1000,
            )

            async def is_accepted() -> bool:
                with contextlib.suppress(grpc.aio.AioRpcError):
                    await rpc.workers.ReportJob(call)
                    return True
                return False

            await eventually(is_accepted)
            call.first_report_sequence = 2202
            refusal = await refused(rpc.workers.ReportJob(call))
            assert (refusal.reason, refusal.metadata) == (
                "LIMIT_REACHED",
                {"limit": "max-events-per-principal"},
            )
        assert (await rpc.get(job.job_id)).attempt == 1


async def test_reports_that_wait_for_a_turn(known: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of a burst keeps its leases meanwhile, on other nodes as well, though nobody reads its heartbeats."""
    turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    renewed: list[list[str]] = []
    renew = Deadlines.renew

    def note(self: Deadlines, job_ids: Iterable[str]) -> None:
        renewed.append(list(job_ids))
        renew(self, renewed[-1])

    monkeypatch.setattr(work_stream, "RENEWAL_INTERVAL", 0.01)
    token = known.add("ci", ["a"], *ALL)
    async with serving(known) as address, connect(address, token=token) as rpc:
        job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
        async with rpc.session() as session:
            await session.send(claim=Claim(job_id=job.job_id))
            assigned = (await session.receive("assignment")).assignment
            await session.report(job.job_id, assigned.lease_token, 1, log_line("1"))
            await session.acknowledged(1)
            monkeypatch.setattr(Deadlines, "renew", note)
            monkeypatch.setattr(Limiter, "uses_burst", lambda self, principal: True)
            monkeypatch.setattr(BurstPace, "turn", lambda self, caller, calls: turn)
            await session.report(job.job_id, assigned.lease_token, 2, log_line("2"))

            async def is_renewed() -> bool:
                return len(renewed) >= 4

            await eventually(is_renewed)
            assert renewed == [[job.job_id]] * len(renewed)
            turn.set_result(None)
            await session.acknowledged(2)


async def test_refused_credentials(known: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever tries many is told late, and what is logged and recorded of it is bounded; its host's own calls go on."""
    monkeypatch.setattr(limiter, "STRANGERS_CALLS", 1)
    monkeypatch.setattr(throttling, "SHORTEST_DELAY", 0.0)
    token = known.add("ci", ["a"], *ALL)
    async with (
        serving(known) as address,
        connect(address, token=tokens.new_token()) as stranger,
        connect(address, token=token) as rpc,
    ):
        job = await rpc.submit()
        with capture_logs() as lines:
            answers = await asyncio.gather(*(stranger.get("none") for _ in range(50)), return_exceptions=True)
            refusals = [Refused.of(answer) for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
            assert (await rpc.get(job.job_id)).job_id == job.job_id
        logged = [
            line["event"] for line in lines if "UNAUTHENTICATED" in (line.get("reason"), line.get("outcome"))
        ]
        assert [refusal.reason for refusal in refusals] == ["UNAUTHENTICATED"] * 50
        assert Counter(logged).keys() == {"call", "audit"}
        assert len(logged) <= 2 * 15
