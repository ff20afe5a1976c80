"""The details of refused calls."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, cast

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

__all__ = ["Refused", "refused"]


@dataclass(frozen=True)
class Refused:
    """The details of a refusal; empty where the status has none."""

    code: str
    reason: str = ""
    domain: str = ""
    fields: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    message: str = ""
    retry_delay: float | None = None

    @property
    def brief(self) -> tuple[str, str, tuple[str, ...]]:
        """The code, the reason, and the invalid fields."""
        return self.code, self.reason, self.fields

    @classmethod
    def of(cls, error: grpc.aio.AioRpcError) -> Refused:
        """The refusal that a call ended with."""
        code, message = error.code().name, error.details() or ""
        # grpc_status uses only methods that this error has as well.
        status = rpc_status.from_call(cast("grpc.Call", error))
        if status is None:
            return cls(code, message=message)
        info, bad, retry = (
            error_details_pb2.ErrorInfo(),
            error_details_pb2.BadRequest(),
            error_details_pb2.RetryInfo(),
        )
        known: tuple[Message, ...] = (info, bad, retry)
        for detail in status.details:
            for message_ in known:
                detail.Unpack(message_)
        return cls(
            code,
            info.reason,
            info.domain,
            tuple(violation.field for violation in bad.field_violations),
            dict(info.metadata),
            message,
            retry.retry_delay.ToNanoseconds() / 1e9 if retry.HasField("retry_delay") else None,
        )


async def refused(call: Awaitable[Any]) -> Refused:
    """Await a call that must be refused; return the refusal."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return Refused.of(error)
    raise AssertionError(f"not refused: {answer!r:.200}")
