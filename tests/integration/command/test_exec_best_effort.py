"""``milepost exec --best-effort``: the command runs where no job can be had for it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from milepost.client import Client
from milepost.v1 import Dispatch
from tests.support.command import milepost
from tests.support.scripted import Context, ScriptedServer, scripted
from tests.support.server import ServerProcess

COMMAND = ("--", "sh", "-c", "echo ran; exit 4")


async def has_no_room(_: ScriptedServer, request: Any, context: Context) -> None:
    """Refuse a job, as a server with a full queue does."""
    detail = AnyMessage()
    detail.Pack(error_details_pb2.ErrorInfo(reason="LIMIT_REACHED", domain="milepost.v1"))
    status = status_pb2.Status(
        code=code_pb2.RESOURCE_EXHAUSTED, message="The queue is full.", details=[detail]
    )
    await context.abort_with_status(rpc_status.to_status(status))


async def test_a_full_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command runs without a job, as without a server, and one line says why; only at best effort."""
    monkeypatch.setattr(ScriptedServer, "SubmitJob", has_no_room)
    async with scripted() as server:
        done = await milepost("exec", "--kind", "k", "--best-effort", *COMMAND, address=server.address)
        refused = await milepost("exec", "--kind", "k", *COMMAND, address=server.address)

    assert (done.status, done.out) == (4, "ran\n")
    assert (
        done.err
        == f"The server at {server.address} is unavailable (The queue is full): running without a job.\n"
    )
    assert (refused.status, refused.out) == (5, "")


async def test_a_concurrency_key_at_its_limit(shared_server: ServerProcess, client: Client) -> None:
    """It holds the command back: what it is for must not run twice at once."""
    key = uuid.uuid4().hex
    first, second = [
        (await client.submit("k", concurrency_key=key, dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id
        for _ in range(2)
    ]
    async with client.attach(first):
        held = await milepost(
            "exec", "--job-id", second, "--best-effort", *COMMAND, address=shared_server.address
        )

    assert (held.status, held.out) == (5, "")
    assert key in held.err
