"""Server interceptor: logs each call, and turns exceptions into statuses.

A Refusal becomes a status with ``ErrorInfo`` (and ``BadRequest``, ``RetryInfo``). Any other exception becomes INTERNAL
with an id to look up in the server's log, since gRPC would send its text to the client
(https://github.com/grpc/grpc/issues/23306). The same holds for requests that cannot be decoded.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from milepost.contract import limits
from milepost.server.access.audit import AuditLog
from milepost.server.access.authenticator import Authenticator
from milepost.server.access.current import current_caller, set_principal
from milepost.server.access.limiter import Limiter
from milepost.server.access.methods import check_method
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.access.refusals import CredentialRefused
from milepost.server.base.refusal import Refusal, draining, malformed, request_too_large
from milepost.server.base.slices import Slices
from milepost.server.base.steps import Steps
from milepost.server.rpc.call_log import CallLog
from milepost.server.rpc.call_memory import CallMemory
from milepost.server.rpc.open_calls import OpenCalls
from milepost.server.rpc.sliced_decoding import SLICED_FROM, decode_in_slices
from milepost.server.rpc.update_decoding import Deserializer

_Context = grpc.aio.ServicerContext[Any, Any]

_Decoded: TypeAlias = "Message | Refusal | Steps[Message | Refusal]"
"""A request, why it cannot be one, or the work that comes to either."""

_Receive: TypeAlias = Callable[[_Context], AsyncIterator[Message]]
"""Receives the requests of a call."""

# Answered even while the server is stopping.
_HEALTH = "/grpc.health.v1.Health/"

# What needs no credential: health checks, and reflection, which tells what the contract does.
_PUBLIC = (_HEALTH, "/grpc.reflection.")

# Its streams stay open until the client closes them, so that draining has to end them.
_REFLECTION = "/grpc.reflection."


class _Call(NamedTuple):
    """What each call of a method begins with."""

    log: Callable[[_Context], CallLog]
    admit: Callable[[_Context, CallLog], Awaitable[Principal]]


class Interceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler of the server. ``call_count`` is the number of calls so far."""

    def __init__(
        self,
        authenticator: Authenticator,
        calls: OpenCalls,
        memory: CallMemory,
        slices: Slices,
        audit: AuditLog,
        limiter: Limiter,
    ) -> None:
        self._limiter = limiter
        self._authenticator = authenticator
        self._audit = audit
        self._calls = calls
        self.call_count = 0
        self._memory = memory
        self._slices = slices
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """Refuse further calls, except health checks, and end open streams of reflection."""
        self._draining.set()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """See ``grpc.aio.ServerInterceptor``; never raises."""
        self.call_count += 1
        handler = await continuation(handler_call_details)
        if handler is None:  # there is no such method
            return handler
        method = handler_call_details.method
        assert handler.request_deserializer is not None
        decode = _decoder(handler.request_deserializer)
        call = _Call(partial(CallLog, method, self._audit), partial(self._admit, handler_call_details))
        if not handler.request_streaming:
            return self._receive_one(handler, decode, call)
        receive: _Receive = partial(
            self._receive_until_draining if method.startswith(_REFLECTION) else self._receive_all, decode
        )
        make, function = _unwrap(handler)
        wrapped = (
            _wrap_generator(call, function, receive)
            if inspect.isasyncgenfunction(function)
            else _wrap_coroutine(call, function, receive, self._calls)
        )
        return make(wrapped, response_serializer=handler.response_serializer)

    async def _admit(
        self, details: grpc.HandlerCallDetails, context: _Context, call_log: CallLog
    ) -> Principal:
        """The principal of a call that it may make, as far as is known before its request. Raises a Refusal.

        From here on the task knows whom it serves.
        """
        method = details.method
        if self._draining.is_set() and not method.startswith(_HEALTH):
            raise draining()
        if method.startswith(_PUBLIC):
            set_principal(ANONYMOUS, context.peer())
            return ANONYMOUS
        try:
            principal = await self._authenticator.authenticate(
                details.invocation_metadata, context.auth_context
            )
        except CredentialRefused as refusal:
            if refusal.principal is not None:
                call_log.note_principal(refusal.principal)
            raise
        call_log.note_principal(principal)
        await self._limiter.admit_request(principal)
        check_method(principal, method)
        set_principal(principal, context.peer())
        return principal

    def _receive_one(
        self, handler: Any, decode: Callable[[bytes], _Decoded], call: _Call
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """A handler of a method with one request, which receives it itself, once the call is admitted.

        grpc.aio would wait for it without bounds, before it calls anything, and leave a call that ends without a
        request unanswered.
        """

        async def respond(_: object, context: _Context) -> bytes:
            with call.log(context) as call_log:
                try:
                    principal = await call.admit(context, call_log)
                    memory = self._memory.of(current_caller())
                    data, charge = await memory.receive(context)
                    try:
                        request = await self._decoded(decode(data))
                        del data
                        call_log.note_job(request)
                        with self._calls.serving(principal):
                            response = await handler.unary_unary(request, context)
                        call_log.note_job(response)
                        answer: bytes = handler.response_serializer(response)
                        del request, response
                        await memory.respond(context, len(answer), charge)
                        return answer
                    finally:
                        charge.release()
                except Exception as error:
                    await call_log.abort(error)
                    raise

        async def stream(_: object, context: _Context) -> None:
            with call.log(context) as call_log:
                try:
                    principal = await call.admit(context, call_log)
                    data, charge = await self._memory.of(current_caller()).receive(context)
                    try:
                        request = await self._decoded(decode(data))
                        del data
                        call_log.note_job(request)
                    finally:
                        charge.release()
                    with self._calls.serving(principal):
                        await handler.unary_stream(request, context)
                except Exception as error:
                    await call_log.abort(error)
                    raise

        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(
                stream, response_serializer=handler.response_serializer
            )
        return grpc.stream_unary_rpc_method_handler(respond)

    async def _decoded(self, decoded: _Decoded) -> Message:
        """The request; a large one is decoded now, in slices. Raises the Refusal that it became."""
        if isinstance(decoded, Generator):
            decoded = await self._slices.run(decoded, current_caller())
        if isinstance(decoded, Refusal):
            raise decoded
        return decoded

    async def _receive_all(
        self, decode: Callable[[bytes], _Decoded], context: _Context
    ) -> AsyncIterator[Message]:
        async for data in self._memory.of(current_caller()).receive_all(context):
            decoded = decode(data)
            # Nearly all are messages by now, and cost no further call.
            yield decoded if isinstance(decoded, Message) else await self._decoded(decoded)

    async def _receive_until_draining(
        self, decode: Callable[[bytes], _Decoded], context: _Context
    ) -> AsyncIterator[Message]:
        requests = self._receive_all(decode, context)
        stopping = asyncio.ensure_future(self._draining.wait())
        try:
            while True:
                next_request = asyncio.ensure_future(anext(requests))
                try:
                    await asyncio.wait((next_request, stopping), return_when=asyncio.FIRST_COMPLETED)
                    if not next_request.done():
                        raise draining()
                finally:
                    next_request.cancel()
                try:
                    request = next_request.result()
                except StopAsyncIteration:
                    return
                yield request
        finally:
            stopping.cancel()


def _unwrap(handler: Any) -> tuple[Callable[..., grpc.RpcMethodHandler[Any, Any]], Callable[..., Any]]:
    """The constructor of a handler of many requests, and the function that it wraps."""
    if handler.response_streaming:
        return grpc.stream_stream_rpc_method_handler, handler.stream_stream
    return grpc.stream_unary_rpc_method_handler, handler.stream_unary


def _decoder(decode: Callable[[bytes], Message]) -> Callable[[bytes], _Decoded]:
    """A deserializer that never raises: a malformed or too large request becomes a Refusal, a large one Steps.

    It drops unknown fields, so that the server stores nothing that it has not validated.
    """

    def decoded(request: bytes) -> _Decoded:
        if len(request) > limits.REQUEST_SIZE:
            return request_too_large(len(request))
        if len(request) >= SLICED_FROM and isinstance(decode, Deserializer):
            return _decode_in_slices(decode.message, request)
        try:
            message = decode(request)
        except DecodeError:
            return malformed()
        message.DiscardUnknownFields()
        return message

    return decoded


def _decode_in_slices(message: type[Message], request: bytes) -> Steps[Message | Refusal]:
    try:
        return (yield from decode_in_slices(message, request))
    except DecodeError:
        return malformed()


def _wrap_coroutine(
    call: _Call, function: Callable[..., Any], receive: _Receive, calls: OpenCalls
) -> Callable[..., Any]:
    async def handle(_: object, context: _Context) -> Any:
        with call.log(context) as call_log:
            try:
                principal = await call.admit(context, call_log)
                with calls.serving(principal):
                    return await function(receive(context), context)
            except Exception as error:
                await call_log.abort(error)
                raise

    return handle


def _wrap_generator(call: _Call, function: Callable[..., Any], receive: _Receive) -> Callable[..., Any]:
    async def handle(_: object, context: _Context) -> AsyncIterator[Any]:
        with call.log(context) as call_log:
            try:
                await call.admit(context, call_log)
                async for response in function(receive(context), context):
                    yield response
            except Exception as error:
                await call_log.abort(error)
                raise

    return handle
