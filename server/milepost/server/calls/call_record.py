"""The record of a call: its status, and its lines in the access log and in the audit log."""

from __future__ import annotations

import time
import uuid

import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2
from google.rpc.status_pb2 import Status

from milepost.contract import limits
from milepost.contract.reasons import DOMAIN, reason_name
from milepost.contract.status_codes import STATUS
from milepost.server.access.audit import AUDITED_REASONS, CHANGING, AuditLog
from milepost.server.access.methods import ACTIONS
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.base.refusal import Refusal, Unimplemented
from milepost.server.calls.call_counts import CallCounts
from milepost.server.messages.timestamps import duration
from milepost.server.store_errors import refusal_of

_logger = structlog.get_logger("milepost.rpc")


class CallRecord:
    """One call of a method, by its path, from a peer, as gRPC names it."""

    def __init__(self, method: str, peer: str, audit: AuditLog, counts: CallCounts | None = None) -> None:
        self.method = method
        self.peer = peer
        self._principal = ANONYMOUS
        self._audit = audit
        self._counts = counts
        self._started = time.monotonic()
        self._reason = ""
        self._is_recorded = self._is_admitted = self._is_counted = False
        self._job_id = ""

    @property
    def seconds(self) -> float:
        """How long the call has lasted so far."""
        return time.monotonic() - self._started

    def note_principal(self, principal: Principal) -> None:
        """Record the principal, once the call is authenticated."""
        self._principal = principal

    def note_admitted(self) -> None:
        """Note that the call is admitted."""
        self._is_admitted = True

    def note_counted(self) -> None:
        """Write no lines for this call: its caller makes many, which are counted instead."""
        self._is_counted = True

    def note_job(self, message: object) -> None:
        """Record the job id of a request or a response, if it has a valid one."""
        job_id = getattr(message, "job_id", "") or getattr(getattr(message, "job", None), "job_id", "")
        if not self._job_id and limits.JOB_ID.fullmatch(job_id):
            self._job_id = job_id

    def note_reason(self, reason: str) -> None:
        """Record the reason of an error that has its status already."""
        self._reason = reason

    def status_of(self, error: Exception) -> Status:
        """The status of a call that ends with this error. An error that is not a refusal is logged, and kept secret."""
        if isinstance(error, Unimplemented):
            return Status(code=code_pb2.UNIMPLEMENTED, message=str(error))
        refusal = refusal_of(error)
        if refusal is not None:
            self._reason = reason_name(refusal.reason)
            self._is_recorded, self._is_counted = refusal.is_recorded, refusal.is_counted
            return refusal_status(refusal)
        error_id, status = failure_status()
        _logger.error("call failed", method=self.method, error_id=error_id, exc_info=error)
        return status

    def write(self, code: str) -> None:
        """Write the lines of a call that has ended with the status of this name, unless it is counted instead."""
        if self._counts is not None:
            self._counts.count(self.method, code)
        if self._is_counted:
            return
        _logger.info(
            "call",
            method=self.method,
            code=code,
            **({"reason": self._reason} if self._reason else {}),
            seconds=round(self.seconds, 4),
            peer=self.peer,
            **({} if self._principal is ANONYMOUS else {"subject": self._principal.subject}),
            **({"job_id": self._job_id} if self._job_id else {}),
        )
        # Where the caller gave up before the call was admitted, nothing was decided.
        if self._is_recorded or (code == "CANCELLED" and not self._is_admitted):
            return
        action = ACTIONS.get(self.method)
        if action in CHANGING or self._reason in AUDITED_REASONS:
            self._audit.write(
                self._principal,
                self.peer,
                self.method.rpartition("/")[2] if action is None else action.name.lower(),
                self._job_id,
                self._reason or code,
            )


def failure_status() -> tuple[str, Status]:
    """The id of a fault of the server, for its log, and the status that tells the client no more than that."""
    error_id = uuid.uuid4().hex
    message = f"The server failed. Its log says why, under the id {error_id}."
    return error_id, Status(code=code_pb2.INTERNAL, message=message)


def refusal_status(refusal: Refusal) -> Status:
    """The status of a call that is refused."""
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
