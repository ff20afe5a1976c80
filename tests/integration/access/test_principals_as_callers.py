"""Load is counted by principal, whatever it is and wherever it comes from."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from milepost.server.access.credentials.credential_settings import CredentialSettings
from milepost.server.budgets.byte_budget import ByteBudget
from milepost.server.calls.call_memory import CallerMemory
from milepost.server.http.http_settings import HttpSettings
from milepost.server.http.in_process_backend import InProcessBackend
from milepost.server.log.sqlite.read_lane import ReadLane
from milepost.server.runtime.server import Server, Settings
from milepost.server.scheduling.callers import SERVER, Turns
from milepost.server.scheduling.sliced_decoding import decode_in_slices
from milepost.server.service import job_listing
from milepost.server.service.jobs import LISTS_LIMIT
from milepost.server.watching.watch_admission import WatchAdmission
from milepost.v1 import (
    Claim,
    DeleteJobRequest,
    Dispatch,
    GetJobRequest,
    ListJobsRequest,
    Release,
    ReportJobRequest,
    Resume,
    ShareJobRequest,
    WatchJobsRequest,
)
from tests.support.http_watch import http_client
from tests.support.principals import ALL
from tests.support.refused import refused
from tests.support.rpc import connect, eventually, log_line, succeeded
from tests.support.token_files import Tokens


@asynccontextmanager
async def serving(known: Tokens, **settings: Any) -> AsyncIterator[Server]:
    """A server in this process."""
    credentials = CredentialSettings(known.path)
    data = known.path.with_name("data")
    server = Server(Settings("127.0.0.1:0", data, credentials=credentials, **settings))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def test_everything_is_counted_by_principal(known: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory, watches, turns and reads of the store: no key is that of a host."""
    keys: dict[str, set[str]] = {}

    def note(owner: type, name: str) -> None:
        function = getattr(owner, name)

        def noting(self: Any, caller: str, *arguments: Any, **more: Any) -> Any:
            keys.setdefault(owner.__name__, set()).add(caller)
            return function(self, caller, *arguments, **more)

        monkeypatch.setattr(owner, name, noting)

    for owner, name in ((ByteBudget, "child"), (WatchAdmission, "admit"), (ReadLane, "run"), (Turns, "put")):
        note(owner, name)
    token = known.add("ci", ["a"], *ALL)
    async with serving(known) as server, connect(server.address, token=token) as rpc:
        large = Struct()
        large.update({"values": [float(number) for number in range(50_000)]})
        job = await rpc.submit(input=large, dispatch=Dispatch.DISPATCH_EXTERNAL)
        await rpc.get(job.job_id)
        await rpc.jobs.ListJobs(ListJobsRequest())
        async with rpc.session() as session:
            await session.send(claim=Claim(job_id=job.job_id))
            await session.receive("assignment")
        await rpc.log(job.job_id)
        assert [frame async for frame in rpc.jobs.WatchJobs(WatchJobsRequest(no_follow=True))]
        update = log_line("x" * 1_000)
        await refused(
            rpc.workers.ReportJob(
                ReportJobRequest(
                    job_id=job.job_id, lease_token="x", first_report_sequence=1, updates=[update] * 900
                )
            )
        )
        await rpc.cancel(job.job_id)

    assert {owner: found - {SERVER} for owner, found in keys.items()} == {
        "ByteBudget": {"principal:ci"},
        "WatchAdmission": {"principal:ci"},
        "ReadLane": {"principal:ci"},
        "Turns": {"principal:ci"},
    }


async def test_a_caller_pays_for_the_reads_of_its_calls(
    known: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads of a job are in the turn of whoever asks, also those that decisions need, and never in the server's."""
    reads: list[tuple[str, str]] = []
    run = ReadLane.run

    async def note(self: ReadLane, caller: str, function: Any) -> Any:
        name = function.__qualname__.removeprefix("ReaderPool.").partition(".")[0]
        if name in ("load", "find", "identify"):
            reads.append((caller, name))
        return await run(self, caller, function)

    async def with_reads(call: Awaitable[Any]) -> tuple[Any, list[tuple[str, str]]]:
        """The answer of a call, and what it has read."""
        reads.clear()
        answer = await call
        return answer, list(reads)

    token = known.add("ci", ["a"], *ALL)
    async with serving(known) as server, connect(server.address, token=token) as rpc:
        jobs = [(await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id for _ in range(5)]
        held = {}
        async with rpc.session(instance="process") as session:
            for job_id in jobs[:4]:
                await session.send(claim=Claim(job_id=job_id))
                held[job_id] = (await session.receive("assignment")).assignment.lease_token
            await session.report(jobs[0], held[jobs[0]], 1, succeeded())
            await session.receive("acknowledged")
        queued = (await rpc.submit()).job_id
    monkeypatch.setattr(ReadLane, "run", note)
    # By now the server knows none of these jobs.
    async with serving(known) as server, connect(server.address, token=token) as rpc:
        hello: dict[str, Any] = {
            "instance": "process",
            "job_ids": jobs[1:4],
            "max_concurrency": 0,
            "kinds": [rpc.kind],
        }
        async with rpc.session(**hello) as session:

            async def resume() -> None:
                await session.send(resume=Resume(job_id=jobs[1], lease_token=held[jobs[1]]))
                await session.receive("resumed")

            async def report() -> None:
                await session.report(jobs[2], held[jobs[2]], 1, log_line("x"))
                await session.receive("acknowledged")

            async def release_and_claim() -> None:
                await session.send(release=Release(job_id=jobs[1], lease_token=held[jobs[1]]))
                await session.send(claim=Claim(job_id=jobs[4]))
                await session.receive("assignment")

            fields: dict[str, Any] = {"job_id": jobs[3], "lease_token": held[jobs[3]]}
            one = ReportJobRequest(first_report_sequence=1, updates=[log_line("x")], **fields)
            calls: dict[str, Callable[[], Awaitable[Any]]] = {
                "get": lambda: rpc.get(jobs[0]),
                "resume": resume,
                "report": report,
                "renew": lambda: rpc.workers.ReportJob(ReportJobRequest(**fields)),
                "report at once": lambda: rpc.workers.ReportJob(one),
                "release and claim": release_and_claim,
                "cancel": lambda: rpc.cancel(queued),
                "share": lambda: rpc.jobs.ShareJob(ShareJobRequest(job_id=queued)),
                "delete": lambda: rpc.jobs.DeleteJob(DeleteJobRequest(job_id=jobs[0])),
            }
            found = {name: await with_reads(call()) for name, call in calls.items()}
        share = found["share"][0].token
        async with connect(server.address, token=share) as shared:
            found["shared"] = await with_reads(shared.get(queued))
    assert {name for name, (_, read) in found.items() if not read} == set()
    assert {caller for _, read in found.values() for caller, _ in read} == {"principal:ci"}


async def test_principals_of_one_host_do_not_pay_for_each_other(known: Tokens) -> None:
    """One that has as many watches as a caller may leaves those of others to them; another token is no other caller."""
    first = known.add("first", ["a"], *ALL)
    again = known.add("first", ["a"], *ALL, credential_id="again")
    second = known.add("second", ["a"], *ALL)
    async with (
        serving(known, max_watches_per_caller=1) as server,
        connect(server.address, token=first) as one,
        connect(server.address, token=again) as same,
        connect(server.address, token=second) as other,
    ):
        job = await one.submit()
        open_watch = one.watch(job.job_id)
        await open_watch.read()
        refusal = await refused(same.watch(job.job_id).read())
        await other.watch(job.job_id).read()
        assert (refusal.reason, refusal.metadata) == ("LIMIT_REACHED", {"limit": "max-watches-per-caller"})
        assert (await same.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job.job_id == job.job_id


@pytest.mark.parametrize("surface", ["gRPC", "REST"])
async def test_lists_of_a_principal_are_made_in_turn(
    known: Tokens, monkeypatch: pytest.MonkeyPatch, surface: str
) -> None:
    """Few at a time, whatever it asks by; another principal's do not wait for them."""
    made: Counter[str] = Counter()
    goes_on = asyncio.Event()

    async def make_slowly(log: Any, request: Any, narrowed: Any, caller: str, *more: Any) -> bytes:
        made[caller] += 1
        if caller == "principal:many":
            await goes_on.wait()
        return b""

    monkeypatch.setattr(job_listing, "page", make_slowly)
    many, few = known.add("many", ["a"], *ALL), known.add("few", ["a"], *ALL)
    async with serving(known, http=HttpSettings("127.0.0.1:0")) as server, http_client("") as web:

        async def list_jobs(token: str) -> bool:
            if surface == "gRPC":
                async with connect(server.address, token=token) as rpc:
                    return not (await rpc.jobs.ListJobs(ListJobsRequest())).jobs
            headers = {"Authorization": f"Bearer {token}"}
            return (await web.get(f"{server.http}/v1/jobs", headers=headers)).status_code == 200

        calls = [asyncio.create_task(list_jobs(many)) for _ in range(10)]

        async def are_at_work() -> bool:
            return made["principal:many"] == LISTS_LIMIT

        await eventually(are_at_work)
        assert await list_jobs(few)
        assert made == {"principal:many": LISTS_LIMIT, "principal:few": 1}
        goes_on.set()
        assert await asyncio.gather(*calls) == [True] * 10
    assert made["principal:many"] == 10


async def test_responses_over_http_are_charged_before_they_are_decoded(
    known: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that however many are asked for at once, no more of them are in memory than the caller may have unread."""
    charged: list[int] = []
    charge_response, decode = CallerMemory.charge_response, decode_in_slices

    async def note_charge(self: Any, size: int, request: Any) -> Any:
        charged.append(size)
        return await charge_response(self, size, request)

    def note_decoding(message: Any, data: bytes) -> Any:
        assert charged[-1] == len(data)
        return decode(message, data)

    monkeypatch.setattr(CallerMemory, "charge_response", note_charge)
    monkeypatch.setattr(f"{InProcessBackend.__module__}.decode_in_slices", note_decoding)
    token = known.add("ci", ["a"], *ALL)
    large = Struct()
    large.update({"text": "x" * 100_000})
    async with (
        serving(known, http=HttpSettings("127.0.0.1:0")) as server,
        connect(server.address, token=token) as rpc,
        http_client("", headers={"Authorization": f"Bearer {token}"}) as web,
    ):
        job = await rpc.submit(input=large)
        charged.clear()
        for path in ("", f"/{job.job_id}"):
            response = await web.get(f"{server.http}/v1/jobs{path}")
            assert "x" * 100_000 in response.text
    assert [size > 100_000 for size in charged] == [True, True]
