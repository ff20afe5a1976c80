"""Invalid input within a session is rejected, and the session goes on wherever possible."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest

from milepost.contract.reasons import reason_name
from milepost.server.dispatch.attempts import Attempts
from milepost.server.dispatch.session_table import SessionTable
from milepost.server.dispatch.worker_session import Session
from milepost.server.log.log_errors import StoreBehind
from milepost.server.runtime.server import Server
from milepost.v1 import (
    Capacity,
    Claim,
    Dispatch,
    Hello,
    Job,
    LogWritten,
    Release,
    Report,
    Resume,
    Stage,
    StageProgressed,
    StageStarted,
    Update,
    WorkRequest,
)
from tests.support.bad_updates import BEFORE, UPDATES
from tests.support.refused import refused
from tests.support.rpc import Rpc, WorkSession, connect, log_line, succeeded


async def rejected(session: WorkSession) -> tuple[str, str, str, int, int]:
    """The next message, a rejection: its job, reason, field, report number and expected number."""
    rejected_found = (await session.receive("rejected")).rejected
    assert rejected_found.message
    return (
        rejected_found.job_id,
        reason_name(rejected_found.reason),
        rejected_found.field,
        rejected_found.report_sequence,
        rejected_found.expected_report_sequence,
    )


async def test_a_session_goes_on_after_any_bad_update(rpc: Rpc) -> None:
    """Each is rejected with its field, and has used up its number; those around it are accepted."""
    async with rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        job_id = job.job_id
        await session.report(job_id, token, 1, *BEFORE)
        await session.acknowledged(len(BEFORE))
        number = len(BEFORE)
        for bad in UPDATES.values():
            await session.report(
                job_id, token, number + 1, log_line("before"), bad.message, log_line("after")
            )
            expected = (job_id, bad.reason, bad.field, number + 2, number + 4)
            assert await rejected(session) == expected
            number += 3
            await session.acknowledged(number)
        await session.report(job_id, token, number + 1, succeeded())
        await session.acknowledged(number + 1)

    lines = [event.log_written.text for event in await rpc.log(job_id) if event.HasField("log_written")]
    assert lines == ["before", "after"] * len(UPDATES)


async def test_a_session_goes_on_after_any_bad_message(rpc: Rpc) -> None:
    """An impossible request is rejected, with its job."""
    async with rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        job_id = job.job_id
        for message, expected in (
            ({"report": Report(job_id="a b")}, ("a b", "INVALID_FIELD", "job_id", 0, 0)),
            (
                {"report": Report(job_id=job_id, lease_token=token, updates=[log_line("x")])},
                (job_id, "INVALID_FIELD", "first_report_sequence", 0, 0),
            ),
            (
                {"report": Report(job_id=job_id, first_report_sequence=1, updates=[log_line("x")] * 1001)},
                (job_id, "TOO_LARGE", "updates", 0, 0),
            ),
            (
                {"report": Report(job_id="nowhere", first_report_sequence=1, updates=[log_line("x")])},
                ("nowhere", "JOB_NOT_FOUND", "", 0, 0),
            ),
            (
                {"report": Report(job_id=job_id, lease_token="x", first_report_sequence=1)},
                (job_id, "LEASE_LOST", "", 0, 0),
            ),
            (
                {"report": Report(job_id=job_id, lease_token=token, first_report_sequence=2)},
                (job_id, "REPORT_GAP", "", 0, 1),
            ),
            ({"claim": Claim(job_id="")}, ("", "INVALID_FIELD", "job_id", 0, 0)),
            ({"claim": Claim(job_id="nowhere")}, ("nowhere", "JOB_NOT_FOUND", "", 0, 0)),
            ({"claim": Claim(job_id=job_id)}, (job_id, "INVALID_FIELD", "job_id", 0, 0)),
            ({"resume": Resume(job_id="a b")}, ("a b", "INVALID_FIELD", "job_id", 0, 0)),
            ({"resume": Resume(job_id="nowhere")}, ("nowhere", "JOB_NOT_FOUND", "", 0, 0)),
            ({"resume": Resume(job_id=job_id)}, (job_id, "LEASE_LOST", "", 0, 0)),
            ({"release": Release(job_id="a b")}, ("a b", "INVALID_FIELD", "job_id", 0, 0)),
            ({"release": Release(job_id="nowhere")}, ("nowhere", "JOB_NOT_FOUND", "", 0, 0)),
            ({"release": Release(job_id=job_id)}, (job_id, "LEASE_LOST", "", 0, 0)),
            (
                {"capacity": Capacity(max_concurrency=-1)},
                ("", "INVALID_FIELD", "capacity.max_concurrency", 0, 0),
            ),
        ):
            await session.send(**message)
            assert await rejected(session) == expected
        await session.report(job_id, token, 1, succeeded())
        await session.acknowledged(1)


async def test_a_rejection_stays_small_whatever_it_quotes(rpc: Rpc) -> None:
    """The rejection does not repeat a stage_id of megabytes."""
    async with rpc.session() as session:
        await rpc.submit()
        job, token = await session.take()
        for number, update in enumerate(
            (
                Update(stage_progressed=StageProgressed(stage_id="x" * 3_000_000)),
                Update(log_written=LogWritten(stage_id="é" * 1_500_000)),
                Update(
                    stage_started=StageStarted(stage=Stage(stage_id="s", parent_stage_id="x" * 3_000_000))
                ),
            ),
            1,
        ):
            await session.report(job.job_id, token, number, update)
            assert (await session.receive("rejected")).ByteSize() < 2000
            await session.acknowledged(number)


BAD_HELLOS = {
    "no hello": (WorkRequest(capacity=Capacity()), "message", "INVALID_FIELD"),
    "nothing": (WorkRequest(), "message", "INVALID_FIELD"),
    "worker_id": (WorkRequest(hello=Hello(worker_id="é" * 129)), "hello.worker_id", "TOO_LARGE"),
    "sdk": (WorkRequest(hello=Hello(sdk="é" * 129)), "hello.sdk", "TOO_LARGE"),
    "kinds": (WorkRequest(hello=Hello(kinds=["k", "K"])), "hello.kinds[1]", "INVALID_FIELD"),
    "kinds too many": (WorkRequest(hello=Hello(kinds=["k"] * 101)), "hello.kinds", "TOO_LARGE"),
    "capacity": (
        WorkRequest(hello=Hello(max_concurrency=10_001)),
        "hello.max_concurrency",
        "INVALID_FIELD",
    ),
}


@pytest.mark.parametrize(("request_", "field", "reason"), BAD_HELLOS.values(), ids=BAD_HELLOS)
async def test_a_session_opens_with_a_good_hello_or_not_at_all(
    rpc: Rpc, request_: WorkRequest, field: str, reason: str
) -> None:
    """The session ends with the invalid field."""
    call = rpc.workers.Work()
    await call.write(request_)

    assert ("INVALID_ARGUMENT", reason, (field,)) == (await refused(call.read())).brief


async def test_a_session_closed_before_hello_ends(rpc: Rpc) -> None:
    """A session that is closed before hello."""
    call = rpc.workers.Work()
    await call.done_writing()

    assert (await refused(call.read())).brief == ("INVALID_ARGUMENT", "INVALID_FIELD", ("message",))


async def test_hello_comes_once(rpc: Rpc) -> None:
    """A second hello ends the session."""
    async with rpc.session() as session:
        await session.send(hello=Hello())

        refusal = await refused(session.call.read())
        assert refusal.brief == ("INVALID_ARGUMENT", "INVALID_FIELD", ("message",))


async def test_a_worker_that_closes_its_side_is_answered(rpc: Rpc) -> None:
    """A half-closed stream, as of grpcurl, ends once every message is answered."""
    job = await rpc.submit(dispatch=Dispatch.DISPATCH_EXTERNAL)
    async with rpc.session() as session:
        await session.send(claim=Claim(job_id="nowhere"))
        await session.send(claim=Claim(job_id=job.job_id))
        await session.call.done_writing()
        answers = [(await session.call.read()).WhichOneof("message") for _ in range(2)]
        end = await session.call.read()

        assert sorted(answers) == ["assignment", "rejected"]
        assert (end, await session.call.code()) == (grpc.aio.EOF, grpc.StatusCode.OK)


async def test_attempts_that_the_node_knows_are_resumed_behind_one_that_it_does_not(
    memory_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decision 0082: while the store cannot be read, only the unknown one is rejected, and not held."""

    async def behind(job_id: str) -> None:
        raise StoreBehind("cut off")

    async with connect(memory_server.address) as rpc:
        for job_id in ("gone", "known"):
            await rpc.submit(job_id=job_id)
        async with rpc.session() as session:
            taken = [await session.take(), await session.take()]
            tokens = {job.job_id: token for job, token in taken}
        monkeypatch.setattr(memory_server._store, "catch_up", behind)
        resume = Attempts.resume
        calls: list[str] = []

        async def resume_once(attempts: Attempts, job_id: str, token: str, *, caller: str) -> tuple[int, Job]:
            calls.append(job_id)
            if calls[-2:] == ["gone", "gone"]:  # it is read again once it is held
                raise StoreBehind("another node has started another attempt")
            return await resume(attempts, job_id, token, caller=caller)

        monkeypatch.setattr(Attempts, "resume", resume_once)
        held: set[str] = set()
        hold, stop_holding = SessionTable.hold, SessionTable.stop_holding

        def noted_hold(table: SessionTable, session: Session, job_id: str, token: str | None) -> None:
            held.add(job_id)
            hold(table, session, job_id, token)

        def noted_stop(table: SessionTable, session: Session, job_id: str) -> None:
            held.discard(job_id)
            stop_holding(table, session, job_id)

        monkeypatch.setattr(SessionTable, "hold", noted_hold)
        monkeypatch.setattr(SessionTable, "stop_holding", noted_stop)
        async with rpc.session() as session:
            for job_id, token in (("unknown", "t"), ("gone", tokens["gone"]), ("known", tokens["known"])):
                await session.send(resume=Resume(job_id=job_id, lease_token=token))
            assert await rejected(session) == ("unknown", "STORE_UNAVAILABLE", "", 0, 0)
            assert await rejected(session) == ("gone", "STORE_UNAVAILABLE", "", 0, 0)
            assert (await session.receive("resumed")).resumed.job_id == "known"
            assert held == {"known"}
