"""Every command and log escapes hostile texts of a server."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import grpc.aio
import pytest
from google.protobuf.message import Message

from milepost.v1 import (
    BackupHeader,
    BackUpResponse,
    CancelJobResponse,
    DeleteJobResponse,
    Event,
    GetHistoryResponse,
    GetJobResponse,
    GetStatsResponse,
    Job,
    JobEnded,
    JobState,
    ListJobsResponse,
    ListWorkersResponse,
    RevokeSharesResponse,
    ShareJobResponse,
    SubmitJobResponse,
    WatchJobResponse,
    WatchJobsResponse,
    WhoAmIResponse,
)
from milepost.v1.admin_service_pb2_grpc import add_AdminServiceServicer_to_server
from milepost.v1.job_service_pb2_grpc import add_JobServiceServicer_to_server
from tests.support.command import terminal
from tests.support.hostile import HOSTILE, filled, obeyed

PAYLOADS: Final = [field.name for field in Event.DESCRIPTOR.oneofs_by_name["payload"].fields]
COMMANDS: Final = (
    ("get", "j"),
    ("list",),
    ("workers",),
    ("share", "j"),
    ("share", "j", "--revoke"),
    ("whoami",),
    ("history", "kind"),
    ("watch", "j"),
    ("watch", "j", "k"),
    ("submit", "kind", "--watch"),
    ("logs", "j"),
    ("diff", "j", "k"),
    ("diff", "--kind", "kind", "--by", "label=a,b"),
    ("cancel", "j"),
    ("delete", "j"),
)
_REFUSED: Final = (("exec", "--job-id", "j", "--", "true"),)
"""What has no form of output."""
_EACH: Final = (
    "import json, sys; from milepost.client._cli.standard_streams import prepare\n"
    "from milepost.client._cli.main import run\n"
    "prepare(); print('statuses', [int(run(arguments)) for arguments in json.loads(sys.argv[1])])"
)
"""Runs several command lines in one process."""


class HostileServer:
    """Answers every call with hostile text in every field or, with ``refuses``, refuses every call with it."""

    def __init__(self, *, refuses: bool) -> None:
        self._refuses = refuses
        cancelled, jobs = job(JobState.JOB_STATE_CANCELLED), [job(state) for state in JobState.values()]
        for name, answer in {
            "SubmitJob": SubmitJobResponse(job=job(JobState.JOB_STATE_QUEUED)),
            "GetJob": filled(GetJobResponse(), job=job(JobState.JOB_STATE_QUEUED)),
            "ListJobs": ListJobsResponse(jobs=jobs),
            "CancelJob": CancelJobResponse(job=cancelled),
            "DeleteJob": DeleteJobResponse(),
            "ShareJob": filled(ShareJobResponse()),
            "RevokeShares": RevokeSharesResponse(),
            "GetHistory": filled(GetHistoryResponse()),
            "WhoAmI": filled(WhoAmIResponse()),
            "GetStats": filled(GetStatsResponse()),
            "ListWorkers": filled(ListWorkersResponse(), next_page_token=""),
        }.items():
            setattr(self, name, self._answering(answer))

    def _answering(self, answer: Message) -> Callable[[Any, Any], Awaitable[Message]]:
        async def call(request: Any, context: Any) -> Message:
            await self._refuse(context)
            return answer

        return call

    async def _refuse(self, context: Any) -> None:
        if self._refuses:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, HOSTILE.replace("\x00", ""))

    async def BackUp(self, request: Any, context: Any) -> Any:
        """An empty copy of a log with a hostile epoch."""
        await self._refuse(context)
        await context.write(BackUpResponse(header=BackupHeader(epoch=HOSTILE)))
        await context.write(BackUpResponse(sha256=hashlib.sha256().digest()))

    async def WatchJob(self, request: Any, context: Any) -> Any:
        """All events, to the end."""
        await self._refuse(context)
        opened = WatchJobResponse()
        opened.opened.epoch, opened.opened.head_sequence = HOSTILE, len(PAYLOADS)
        await context.write(opened)
        for event in events(request.job_id):
            frame = WatchJobResponse()
            frame.events.events.append(event)
            await context.write(frame)

    async def WatchJobs(self, request: Any, context: Any) -> Any:
        """A snapshot of jobs that have ended."""
        await self._refuse(context)
        opened = WatchJobsResponse()
        opened.opened.epoch = HOSTILE
        await context.write(opened)
        for job_id in request.filter.job_ids:
            frame = WatchJobsResponse()
            frame.snapshot.job.CopyFrom(job(JobState.JOB_STATE_SUCCEEDED))
            frame.snapshot.job.job_id = job_id
            await context.write(frame)


def job(state: JobState.ValueType) -> Job:
    """A job with hostile text in every other field."""
    return filled(Job(), state=state, first_sequence=1, last_sequence=len(PAYLOADS))


def events(job_id: str) -> list[Event]:
    """An event of each payload; the last one ends the job as succeeded."""
    made: list[Event] = []
    for name in sorted(PAYLOADS, key=lambda name: name == "job_ended"):
        event = Event(job_id=job_id, sequence=len(made) + 1, attempt=1)
        payload = getattr(event, name)
        filled(payload, **({"state": JobState.JOB_STATE_SUCCEEDED} if isinstance(payload, JobEnded) else {}))
        payload.SetInParent()
        made.append(event)
    return made


@asynccontextmanager
async def hostile(*, refuses: bool) -> AsyncIterator[str]:
    """The address of a hostile server."""
    servicer: Any = HostileServer(refuses=refuses)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_JobServiceServicer_to_server(servicer, server)
    add_AdminServiceServicer_to_server(servicer, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    yield address
    await server.stop(None)


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("output", ["auto", "plain", "json"])
async def test_no_command_prints_control_characters(output: str, refuses: bool, tmp_path: Path) -> None:
    """On a terminal, as pictures, as lines and as JSON; answers and refusals."""
    commands = (*COMMANDS, ("backup", str(tmp_path / "copy.db")))
    lines = [[name, "--output", output, *arguments] for name, *arguments in commands]
    program = (sys.executable, "-c", _EACH, json.dumps([*lines, *(_REFUSED if refuses else ())]))
    async with hostile(refuses=refuses) as address, terminal(address=address, program=program) as shown:
        await shown.process.wait()
        await shown.shows(lambda text: "statuses [" in text)

    assert obeyed(shown.raw, drawn=True) == []
    assert "[77;77H" in shown.raw  # it was there, and is seen
    assert "defect" not in shown.text


_LOGGING: Final = """
import logging, sys
from milepost.client._cli.commands.log_setup import configure
configure("debug")
text = sys.argv[1]
logging.getLogger("milepost.client").warning("%s", text)
try:
    raise ValueError(text)
except ValueError:
    logging.getLogger("milepost.client").exception(text, extra={"peer": text})
"""
_STRUCTLOG: Final = """
import structlog, sys
from milepost.server.cli.log_output import configure
configure("debug")
text = sys.argv[1]
log = structlog.get_logger("milepost.rpc")
log.warning(text, peer=text, more=[text])
try:
    raise ValueError(text)
except ValueError:
    log.exception(text, cause=text)
"""


@pytest.mark.parametrize("script", [_LOGGING, _STRUCTLOG], ids=["worker", "server"])
async def test_no_log_prints_control_characters(script: str) -> None:
    """Neither texts, nor values, nor messages of exceptions."""
    program = (sys.executable, "-c", script, HOSTILE.replace("\x00", ""))
    async with terminal(program=program) as shown:
        status = await shown.process.wait()
        await shown.shows(lambda text: "ValueError" in text)

    assert (status, obeyed(shown.raw, drawn=True)) == (0, [])
    assert "[77;77H" in shown.raw
