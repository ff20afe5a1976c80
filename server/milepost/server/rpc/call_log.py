"""What a call leaves behind: its status, and its lines in the access log and in the audit log."""

from __future__ import annotations

import time
import uuid
from typing import Any

import grpc
import grpc.aio
import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from milepost.contract import limits
from milepost.contract.reasons import DOMAIN, reason_name
from milepost.contract.status_codes import STATUS
from milepost.server.access.audit import AUDITED_REASONS, CHANGING, AuditLog
from milepost.server.access.methods import ACTIONS
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.base.refusal import Refusal, Unimplemented
from milepost.server.base.timestamps import duration
from milepost.server.store_errors import refusal_of

_log = structlog.get_logger("milepost.rpc")

_Context = grpc.aio.ServicerContext[Any, Any]


class CallLog:
    """One call: its status, its line in the log and, if it changes or refuses something, its line in the audit log."""

    def __init__(self, method: str, audit: AuditLog, context: _Context) -> None:
        self._method = method
        self._context = context
        self._principal = ANONYMOUS
        self._audit = audit
        self._started = time.monotonic()
        self._code: str | None = None
        self._reason = ""
        self._is_recorded = False
        self._job_id = ""

    def note_principal(self, principal: Principal) -> None:
        """Take the principal, once the call is authenticated."""
        self._principal = principal

    def note_job(self, message: object) -> None:
        """Take the job id of a request or a response, if it has a valid one."""
        job_id = getattr(message, "job_id", "") or getattr(getattr(message, "job", None), "job_id", "")
        if not self._job_id and limits.JOB_ID.fullmatch(job_id):
            self._job_id = job_id

    def __enter__(self) -> CallLog:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        code = self._code
        if code is None:
            gone = error is not None and not isinstance(error, grpc.aio.AbortError)
            code = "CANCELLED" if gone else _code_name(self._context.code())
        peer = self._context.peer()
        _log.info(
            "call",
            method=self._method,
            code=code,
            **({"reason": self._reason} if self._reason else {}),
            seconds=round(time.monotonic() - self._started, 4),
            peer=peer,
            **({} if self._principal is ANONYMOUS else {"subject": self._principal.subject}),
            **({"job_id": self._job_id} if self._job_id else {}),
        )
        if self._is_recorded:
            return
        action = ACTIONS.get(self._method)
        if action in CHANGING or self._reason in AUDITED_REASONS:
            self._audit.write(
                self._principal,
                peer,
                self._method.rpartition("/")[2] if action is None else action.name.lower(),
                self._job_id,
                self._reason or code,
            )

    async def abort(self, error: Exception) -> None:
        """End the call with the status of the error."""
        if isinstance(error, grpc.aio.AbortError):
            raise error
        if isinstance(error, grpc.aio.InternalError) and "ExecuteBatch" in type(error).__name__:
            # The client went away while something was being sent to it (https://github.com/grpc/grpc/issues/36193).
            self._code = "CANCELLED"
            raise error
        if isinstance(error, Unimplemented):
            self._code = "UNIMPLEMENTED"
            await self._context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
        refusal = refusal_of(error)
        if refusal is not None:
            self._code, self._reason = STATUS[refusal.reason].name, reason_name(refusal.reason)
            self._is_recorded = refusal.is_recorded
            await self._context.abort_with_status(rpc_status.to_status(_status(refusal)))
        error_id = uuid.uuid4().hex
        self._code = "INTERNAL"
        _log.error("call failed", method=self._method, error_id=error_id, exc_info=error)
        await self._context.abort(
            grpc.StatusCode.INTERNAL, f"The server failed. Its log says why, under the id {error_id}."
        )


def _code_name(code: Any) -> str:
    if isinstance(code, grpc.StatusCode):
        return code.name
    return next((status.name for status in grpc.StatusCode if status.value[0] == code), "OK")


def _status(refusal: Refusal) -> Status:
    details: list[Message] = [
        error_details_pb2.ErrorInfo(
            reason=reason_name(refusal.reason), domain=DOMAIN, metadata=dict(refusal.metadata)
        )
    ]
    if refusal.violations:
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(field=field, description=description)
                    for field, description in refusal.violations
                ]
            )
        )
    if refusal.retry_delay is not None:
        details.append(error_details_pb2.RetryInfo(retry_delay=duration(refusal.retry_delay)))
    status = Status(code=STATUS[refusal.reason].value[0], message=refusal.message)
    for detail in details:
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    return status
