"""Where calls come in and answers go out: an access line for each, and errors as statuses that give nothing away.

What a handler refuses becomes a status with ``ErrorInfo`` (and ``BadRequest``, ``RetryInfo``); any other exception
becomes INTERNAL with an id that stands in the server's log, since the text of an exception would reach the client as it
is (https://github.com/grpc/grpc/issues/23306). That goes for requests that cannot be decoded, too.
"""

from __future__ import annotations

import asyncio
import inspect
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

import grpc
import grpc.aio
import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from milepost.contract import limits
from milepost.contract.reasons import DOMAIN, reason_name
from milepost.contract.status_codes import STATUS
from milepost.server.rpc.refusal import Refusal, Unimplemented, draining, malformed, request_too_large
from milepost.server.rpc.store_errors import refusal_of
from milepost.server.runtime.timestamps import duration

_log = structlog.get_logger("milepost.rpc")

_Context = grpc.aio.ServicerContext[Any, Any]


# What is asked of a server that is stopping, and is answered.
_HEALTH = "/grpc.health.v1.Health/"

# Whose streams stay open until whoever has asked has heard enough.
_REFLECTION = "/grpc.reflection."


class Interceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler of the server. ``arrived`` counts the calls."""

    def __init__(self) -> None:
        self.arrived = 0
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """From now on calls are refused, but for those that ask for the server's health; those of reflection end."""
        self._draining.set()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """See ``grpc.aio.ServerInterceptor``; never raises."""
        self.arrived += 1
        handler = await continuation(handler_call_details)
        if handler is None:  # there is no such method
            return handler
        method = handler_call_details.method
        make, function = _parts(handler)
        sound: Callable[[Any], Any] = _sound_each if handler.request_streaming else _sound
        if self._draining.is_set() and not method.startswith(_HEALTH):
            sound = _refused
        elif method.startswith(_REFLECTION):
            sound = self._sound_until_draining
        wrapped = (
            _streaming(method, function, sound)
            if inspect.isasyncgenfunction(function)
            else _plain(method, function, sound)
        )
        return make(
            wrapped,
            request_deserializer=handler.request_deserializer and _decoder(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )

    async def _sound_until_draining(
        self, requests: AsyncIterator[Message | Refusal]
    ) -> AsyncIterator[Message]:
        sound = _sound_each(requests)
        over = asyncio.ensure_future(self._draining.wait())
        try:
            while True:
                coming = asyncio.ensure_future(anext(sound))
                try:
                    await asyncio.wait((coming, over), return_when=asyncio.FIRST_COMPLETED)
                    if not coming.done():
                        raise draining()
                finally:
                    coming.cancel()
                try:
                    request = coming.result()
                except StopAsyncIteration:
                    return
                yield request
        finally:
            over.cancel()


def _parts(handler: Any) -> tuple[Callable[..., grpc.RpcMethodHandler[Any, Any]], Callable[..., Any]]:
    """How such a handler is made, and the function within."""
    if handler.request_streaming:
        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler, handler.stream_stream
        return grpc.stream_unary_rpc_method_handler, handler.stream_unary
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler, handler.unary_stream
    return grpc.unary_unary_rpc_method_handler, handler.unary_unary


def _decoder(decode: Callable[[bytes], Message]) -> Callable[[bytes], Message | Refusal]:
    """Never raises: what cannot be decoded, or is too large, becomes a Refusal, for the handler to raise.

    Fields that this server does not know are dropped here, so that nothing is stored that no bound was held against.
    """

    def decoded(request: bytes) -> Message | Refusal:
        if len(request) > limits.REQUEST_SIZE:
            return request_too_large(len(request))
        try:
            message = decode(request)
        except DecodeError:
            return malformed()
        message.DiscardUnknownFields()
        return message

    return decoded


def _refused(_: object) -> NoReturn:
    raise draining()


def _sound(request: Message | Refusal) -> Message:
    if isinstance(request, Refusal):
        raise request
    return request


async def _sound_each(requests: AsyncIterator[Message | Refusal]) -> AsyncIterator[Message]:
    async for request in requests:
        yield _sound(request)


def _plain(method: str, function: Callable[..., Any], sound: Callable[[Any], Any]) -> Callable[..., Any]:
    async def call(request: Any, context: _Context) -> Any:
        with _Access(method, context) as access:
            access.is_about(request)
            try:
                response = await function(sound(request), context)
                access.is_about(response)
                return response
            except Exception as error:
                await access.abort(error)
                raise

    return call


def _streaming(method: str, function: Callable[..., Any], sound: Callable[[Any], Any]) -> Callable[..., Any]:
    async def call(request: Any, context: _Context) -> AsyncIterator[Any]:
        with _Access(method, context) as access:
            try:
                async for response in function(sound(request), context):
                    yield response
            except Exception as error:
                await access.abort(error)
                raise

    return call


class _Access:
    """One call: how it ends, and the line that says so."""

    def __init__(self, method: str, context: _Context) -> None:
        self._method = method
        self._context = context
        self._started = time.monotonic()
        self._code: str | None = None
        self._reason = ""
        self._job_id = ""

    def is_about(self, message: object) -> None:
        """Takes the job that a request or a response names, if it names one; whatever else it says is no id."""
        job_id = getattr(message, "job_id", "") or getattr(getattr(message, "job", None), "job_id", "")
        if not self._job_id and limits.JOB_ID.fullmatch(job_id):
            self._job_id = job_id

    def __enter__(self) -> _Access:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        code = self._code
        if code is None:
            gone = error is not None and not isinstance(error, grpc.aio.AbortError)
            code = "CANCELLED" if gone else _code_name(self._context.code())
        _log.info(
            "call",
            method=self._method,
            code=code,
            **({"reason": self._reason} if self._reason else {}),
            seconds=round(time.monotonic() - self._started, 4),
            peer=self._context.peer(),
            **({"job_id": self._job_id} if self._job_id else {}),
        )

    async def abort(self, error: Exception) -> None:
        """Ends the call as the error has it."""
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
