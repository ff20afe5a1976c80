"""For any requests in any order the server answers or refuses, and never fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milepost.contract.reasons import DOMAIN
from milepost.v1 import (
    CancelJobRequest,
    Claim,
    DeleteJobRequest,
    Dispatch,
    GetJobRequest,
    Hello,
    JobState,
    ListJobsRequest,
    ReportJobRequest,
    SubmitJobRequest,
    WatchJobRequest,
    WatchJobsRequest,
    WorkRequest,
)
from tests.support.any_message import messages
from tests.support.refused import Refused
from tests.support.rpc import Rpc, connect
from tests.support.server import ServerProcess

UNSAID = {"INTERNAL", "UNKNOWN"}
"""What a server says that has a defect."""

bounded = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)


class Fuzzed(NamedTuple):
    """A client of the services, with a running job."""

    rpc: Rpc
    job_id: str
    token: str

    @property
    def names(self) -> list[str]:
        """Texts that the server knows."""
        return [self.job_id, self.token, "a", "a/1"]


@pytest.fixture(scope="module")
def fuzzed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that must still work in the end, without faults in its log."""
    with ServerProcess(tmp_path_factory.mktemp("fuzzed") / "data") as server:
        yield server
        assert server.stop() == 0
        assert [line for line in server.log() if line["level"] == "error" or line.get("code") in UNSAID] == []


@pytest.fixture
async def fuzzed(fuzzed_server: ServerProcess) -> AsyncIterator[Fuzzed]:
    """The server with a new job, which must be readable afterwards."""
    async with connect(fuzzed_server.address) as rpc:
        job = await rpc.submit(job_id=rpc.kind, dispatch=Dispatch.DISPATCH_EXTERNAL)
        async with rpc.session() as session:
            await session.send(claim=Claim(job_id=job.job_id))
            _, token = await session.take()
        yield Fuzzed(rpc, job.job_id, token)
        assert job.job_id == (await rpc.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job.job_id


async def ask(call: Any) -> Refused | None:
    """The refusal of a call; None for OK."""
    try:
        if isinstance(call, grpc.aio.UnaryUnaryCall):
            await call
        else:
            async for _ in call:
                pass
    except grpc.aio.AioRpcError as error:
        return Refused.of(error)
    return None


def assert_said(refusal: Refused | None) -> None:
    """Check that the answer is one of the contract."""
    if refusal is None or (refusal.code, refusal.reason) == ("UNIMPLEMENTED", ""):
        return
    assert refusal.code not in UNSAID
    assert (refusal.domain, bool(refusal.reason)) == (DOMAIN, True)
    for leak in ("Traceback", "Error(", "sqlite", ".py", "<class"):
        assert leak not in refusal.message


REQUESTS: list[type[Message]] = [
    SubmitJobRequest,
    GetJobRequest,
    ListJobsRequest,
    CancelJobRequest,
    DeleteJobRequest,
    WatchJobRequest,
    WatchJobsRequest,
]


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.DESCRIPTOR.name)
@bounded
@given(data=st.data())
async def test_any_request(fuzzed: Fuzzed, kind: type[Message], data: st.DataObject) -> None:
    """It is answered, or refused with a reason."""
    request: Any = data.draw(messages(kind, fuzzed.names))
    rpc, method = fuzzed.rpc, kind.DESCRIPTOR.name.removesuffix("Request")
    if isinstance(request, WatchJobRequest | WatchJobsRequest):
        request.no_follow = True
        if request.WhichOneof("start") in ("after_sequence", "after_position"):
            request.ClearField("start")  # the server waits for a cursor that is ahead

    assert_said(await ask(getattr(rpc.jobs, method)(request)))


@bounded
@given(data=st.data())
async def test_any_report(fuzzed: Fuzzed, data: st.DataObject) -> None:
    """With a valid lease and number, and any updates."""
    request = data.draw(messages(ReportJobRequest, fuzzed.names))
    if data.draw(st.booleans()):
        request.job_id, request.lease_token = fuzzed.job_id, fuzzed.token
        renewal = ReportJobRequest(job_id=fuzzed.job_id, lease_token=fuzzed.token)
        request.first_report_sequence = (await fuzzed.rpc.workers.ReportJob(renewal)).report_sequence + 1
        del request.updates[1:]
        if request.updates and request.updates[0].HasField("job_ended"):
            request.updates[
                0
            ].job_ended.state = JobState.JOB_STATE_LOST  # which is refused: earlier reports are missing

    assert_said(await ask(fuzzed.rpc.workers.ReportJob(request)))


@bounded
@given(data=st.data())
async def test_any_conversation(fuzzed: Fuzzed, data: st.DataObject) -> None:
    """After any message a session goes on, or ends with a reason."""
    hello = WorkRequest(hello=Hello(kinds=[fuzzed.rpc.kind], max_concurrency=2))
    said = [hello, *data.draw(st.lists(messages(WorkRequest, fuzzed.names), min_size=1, max_size=5))]

    async def saying() -> AsyncIterator[WorkRequest]:
        for request in said:
            yield request

    result = await ask(fuzzed.rpc.workers.Work(saying()))
    # The exception is the client's own error: it could not write any more.
    if result is None or result.message != "Internal error from Core":
        assert_said(result)
