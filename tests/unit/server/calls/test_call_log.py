"""How a call ends with an error."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import grpc.aio
from google.rpc import code_pb2
from structlog.testing import capture_logs

from milepost.server.access.audit import AuditLog
from milepost.server.base.refusal import Refusal
from milepost.server.calls.call_record import CallRecord
from milepost.server.rpc.call_log import CallLog
from milepost.v1 import ErrorReason


class Context:
    """The context of a call, which notes the status that the call ends with."""

    def __init__(self) -> None:
        self.ended: int | None = None

    async def abort_with_status(self, status: Any) -> None:
        """Note the status, and end the handler, as gRPC does."""
        self.ended = status.code.value[0]
        raise grpc.aio.AbortError


async def test_an_error_that_several_calls_raise() -> None:
    """One call ends with it while another, which has raised it before, still cleans up: that one goes on."""
    error = Refusal(ErrorReason.ERROR_REASON_STORE_UNAVAILABLE, "The store is away.")
    may_go_on = asyncio.Event()

    async def clean_up() -> str:
        try:
            raise error
        except Refusal:
            await may_go_on.wait()
        return "cleaned up"

    async def end(context: Context) -> Exception:
        record = CallRecord("/milepost.v1.JobService/GetJob", "ipv4:127.0.0.1:1", AuditLog(None))
        try:
            raise error
        except Refusal as raised:
            return await CallLog(record, cast("grpc.aio.ServicerContext[Any, Any]", context)).abort(raised)

    context = Context()
    other = asyncio.create_task(clean_up())
    await asyncio.sleep(0)
    ended = await end(context)
    may_go_on.set()
    assert (type(ended), context.ended, await other) == (
        grpc.aio.AbortError,
        code_pb2.UNAVAILABLE,
        "cleaned up",
    )


async def test_a_refusal_is_in_the_logs_before_its_caller_knows() -> None:
    """Whoever looks for what was just refused finds it, and the lines stand in the order of the calls."""

    class Waiting(Context):
        async def abort_with_status(self, status: Any) -> None:
            known.extend(line["event"] for line in lines)
            await super().abort_with_status(status)

    known: list[str] = []
    context = cast("grpc.aio.ServicerContext[Any, Any]", Waiting())
    record = CallRecord("/milepost.v1.JobService/CancelJob", "ipv4:127.0.0.1:1", AuditLog(None))
    with capture_logs() as lines, (call_log := CallLog(record, context)):
        await call_log.abort(Refusal(ErrorReason.ERROR_REASON_PERMISSION_DENIED, "Not yours."))

    assert known == ["call", "audit"]
    assert [line["event"] for line in lines] == known
