"""Calls of HTTP carried out in this process: admitted, bounded, ended and recorded as gRPC's are."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from typing import Any, Final, TypeVar

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2
from starlette.types import Scope

from milepost.contract import limits
from milepost.server.access.audit import AuditLog
from milepost.server.access.current_principal import current_caller
from milepost.server.access.principal import Principal
from milepost.server.base.refusal import Refusal, request_too_large
from milepost.server.base.tracebacks import drop_tracebacks
from milepost.server.budgets.byte_budget import Charge
from milepost.server.budgets.response_room import RESPONSE_TIMEOUT
from milepost.server.calls.call_admission import CallAdmission
from milepost.server.calls.call_memory import CallMemory
from milepost.server.calls.call_record import CallRecord
from milepost.server.calls.open_calls import OpenCalls
from milepost.server.calls.request_decoding import decoder, finish_decoding
from milepost.server.calls.response_stream import ResponseStream
from milepost.server.calls.update_decoding import Deserializer
from milepost.server.http.peer_certificate import of_scope
from milepost.server.messages.job_encoding import JobResponse
from milepost.server.scheduling.caller_pace import CallerPace
from milepost.server.scheduling.sliced_decoding import decode_in_slices
from milepost.server.scheduling.slices import Slices
from milepost.server.scheduling.steps import Steps
from milepost.v1 import ErrorReason
from milepost.web.callers import peer_of
from milepost.web.request_body import ClientGone
from milepost.web.service import (
    METHODS,
    Caller,
    PromptSend,
    ReceiveRequest,
    SeenEnough,
    Send,
    ServiceError,
    path_of,
)

_Outcome = TypeVar("_Outcome")

_DECODERS: Final = {
    name: decoder(Deserializer(GetMessageClass(method.input_type))) for name, method in METHODS.items()
}

_RESPONSES: Final = {name: GetMessageClass(method.output_type) for name, method in METHODS.items()}


LISTS_AT_ONCE: Final = 4
"""Pages of ``ListJobs`` that are made for one caller, or sent to it, at a time; ``RESPONSE_TIMEOUT`` each at most."""


class _NotSent(Exception):
    """Wraps an error of sending a response, which is not an error of the call."""

    def take_reason(self) -> Exception:
        """Return the error, and let go of it: once it is raised, its context is this exception."""
        reason: Exception
        (reason,), self.args, self.__cause__ = self.args, (), None
        return reason


def _passing(send: Send) -> Send:
    async def send_response(response: bytes) -> None:
        try:
            await send(response)
        except Exception as error:
            raise _NotSent(error) from error

    if not isinstance(send, PromptSend):
        return send_response
    return PromptSend(send_response, send.offer, send.reader)


class InProcessBackend:
    """See ``JobsBackend``. ``servicers`` have the methods, by the name of their service."""

    def __init__(
        self,
        servicers: Mapping[str, object],
        admission: CallAdmission,
        calls: OpenCalls,
        memory: CallMemory,
        slices: Slices,
        audit: AuditLog,
    ) -> None:
        self._servicers = servicers
        self._admission = admission
        self._calls = calls
        self._memory = memory
        self._slices = slices
        self._audit = audit
        self._lists = CallerPace(LISTS_AT_ONCE, longest=RESPONSE_TIMEOUT)

    @asynccontextmanager
    async def call(
        self, method: str, receive: ReceiveRequest, caller: Caller
    ) -> AsyncGenerator[Message | bytes, None]:
        """See ``JobsBackend``."""
        function = self._function(method)
        with self._recording(method, caller) as record:
            principal, request, charge = await self._begin(method, receive, caller, record)
            turn = self._lists.turn(current_caller()) if method == "ListJobs" else nullcontext()
            async with AsyncExitStack() as responding:
                try:
                    await responding.enter_async_context(turn)
                    with self._calls.serving(principal):
                        answer: Message | JobResponse | bytes = await function(request, None)
                    record.note_job(answer)
                    del request
                    response = answer.encode() if isinstance(answer, JobResponse) else answer
                    del answer
                    size = len(response) if isinstance(response, bytes) else response.ByteSize()
                    response_charge = await self._memory.of(current_caller()).charge_response(size, charge)
                finally:
                    charge.release()
                responding.callback(response_charge.release)
                left = responding.pop_all()
        async with left:
            yield response

    async def decode(self, method: str, response: Message | bytes) -> Message:
        """See ``JobsBackend``."""
        if isinstance(response, Message):
            return response
        return await self._slices.run(decode_in_slices(_RESPONSES[method], response), current_caller())

    async def watch(self, method: str, receive: ReceiveRequest, caller: Caller, send: Send) -> None:
        """See ``JobsBackend``."""
        function = self._function(method)
        with self._recording(method, caller) as record:
            principal, request, charge = await self._begin(method, receive, caller, record)
            charge.release()
            with self._calls.serving(principal):
                await function(request, ResponseStream(_passing(send)))

    async def run_in_slices(self, steps: Steps[_Outcome]) -> _Outcome:
        """See ``JobsBackend``."""
        return await self._slices.run(steps, current_caller())

    async def record_refusal(self, scope: Scope, message: str) -> None:
        """Record a request that calls nothing, since the page of another site makes it; late if its host makes many."""
        record = CallRecord(f"/http/{scope['method']}", peer_of(scope), self._audit, self._admission.ended)
        refusal = Refusal(ErrorReason.ERROR_REASON_PERMISSION_DENIED, message)
        await self._admission.delay_refused(record.peer, refusal)
        record.write(code_pb2.Code.Name(code_pb2.Code.ValueType(record.status_of(refusal).code)))

    def _function(self, method: str) -> Callable[[Message, ResponseStream | None], Awaitable[Any]]:
        servicer = self._servicers[METHODS[method].containing_service.name]
        function: Callable[[Message, ResponseStream | None], Awaitable[Any]] = getattr(servicer, method)
        return function

    @contextmanager
    def _recording(self, method: str, caller: Caller) -> Iterator[CallRecord]:
        """Record a call, and turn its error into a ServiceError."""
        self._admission.count_call()
        record = CallRecord(path_of(method), caller.peer, self._audit, self._admission.ended)
        code: int = code_pb2.CANCELLED
        try:
            yield record
            code = code_pb2.OK
        except _NotSent as error:
            reason = error.take_reason()
            if isinstance(reason, SeenEnough):
                code = code_pb2.OK
            try:
                raise reason from None
            finally:
                # Its traceback has this frame: together they would be garbage, and hold the stream so long.
                del reason
        except ClientGone:
            raise
        except ServiceError as error:
            code = error.status.code
            record.note_reason(error.reason)
            raise
        except Exception as error:
            status = record.status_of(error)
            code = status.code
            drop_tracebacks(error)
            raise ServiceError(status) from error
        finally:
            record.write(code_pb2.Code.Name(code_pb2.Code.ValueType(code)))

    async def _begin(
        self, method: str, receive: ReceiveRequest, caller: Caller, record: CallRecord
    ) -> tuple[Principal, Message, Charge]:
        """Admit the call, and receive its request."""
        credential = [("authorization", caller.authorization)] if caller.authorization else []
        principal = await self._admission.admit(record, credential, lambda: of_scope(caller.scope))
        received, charge = await self._memory.of(current_caller()).receive_in_parts(receive)
        try:
            if isinstance(received, bytes):
                request = await finish_decoding(_DECODERS[method](received), self._slices)
            else:
                request = received
                if request.ByteSize() > limits.REQUEST_SIZE:
                    raise request_too_large(request.ByteSize())
            record.note_job(request)
        except BaseException:
            charge.release()
            raise
        return principal, request, charge
