"""Server interceptor: logs each call, and turns exceptions into statuses.

A Refusal becomes a status with ``ErrorInfo`` (and ``BadRequest``, ``RetryInfo``). Any other exception becomes INTERNAL
with an id to look up in the server's log, since gRPC would send its text to the client
(https://github.com/grpc/grpc/issues/23306). The same holds for requests that cannot be decoded.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeAlias

import grpc
import grpc.aio
from google.protobuf.message import Message
from grpc_status import rpc_status

from milepost.contract.limits import REQUEST_SIZE
from milepost.server.access.audit import AuditLog
from milepost.server.access.current_principal import current_caller
from milepost.server.access.principal import Principal
from milepost.server.base.refusal import Refusal, draining
from milepost.server.calls.call_admission import PUBLIC, CallAdmission
from milepost.server.calls.call_memory import CallMemory
from milepost.server.calls.call_record import CallRecord, refusal_status
from milepost.server.calls.open_calls import OpenCalls
from milepost.server.calls.received_requests import ReceivedRequests
from milepost.server.calls.request_decoding import PUBLIC_REQUEST_SIZE, Decoded, decoder, finish_decoding
from milepost.server.calls.response_stream import ResponseStream
from milepost.server.rpc.call_log import CallLog
from milepost.server.rpc.call_starts import starts_of_server
from milepost.server.rpc.floods import Floods
from milepost.server.rpc.metadata_limit import METADATA_SIZE, metadata_size, too_large
from milepost.server.rpc.response_writer import ResponseWriter
from milepost.server.scheduling.slices import Slices

_Context = grpc.aio.ServicerContext[Any, Any]

_Receive: TypeAlias = Callable[[_Context], AsyncIterator[Message]]
"""Receives the requests of a call."""

# Its streams stay open until the client closes them, so that draining has to end them.
_REFLECTION = "/grpc.reflection."


class _Call(NamedTuple):
    """The context of a call, set up before its handler runs. A stream keeps it while it is open."""

    admission: CallAdmission
    audit: AuditLog
    floods: Floods
    details: grpc.HandlerCallDetails

    def log(self, context: _Context) -> CallLog:
        """The record of the call."""
        counts = self.admission.ended
        return CallLog(CallRecord(self.details.method, context.peer(), self.audit, counts), context)

    async def admit(self, context: _Context, record: CallRecord) -> Principal:
        """Return the principal of the call. Raises the refusal of a call that is not admitted."""
        return await self.admission.admit(record, self.details.invocation_metadata, context.auth_context)


class Interceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler of the server. Once ``admission`` drains, open streams of reflection end.

    ``floods`` learns of metadata that is refused, and of calls that are left.
    """

    def __init__(
        self,
        admission: CallAdmission,
        calls: OpenCalls,
        memory: CallMemory,
        slices: Slices,
        audit: AuditLog,
        floods: Floods,
    ) -> None:
        self._admission = admission
        self._floods = floods
        self._audit = audit
        self._calls = calls
        self._memory = memory
        self._slices = slices

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """See ``grpc.aio.ServerInterceptor``; never raises."""
        method, metadata = handler_call_details.method, handler_call_details.invocation_metadata
        size = metadata_size(metadata)
        call = _Call(self._admission, self._audit, self._floods, handler_call_details)
        if size > METADATA_SIZE:
            starts_of_server().note_metadata(size, self._floods.note_left_waiting)
            return self._refuse(call, size)
        # A call that is reset meanwhile is one of its connection until it is refused. So resets are held back, too.
        shared_refusal = await self._admission.refuse_early(method, metadata)
        if shared_refusal is not None:
            return _refusing(shared_refusal)
        self._admission.count_call()
        handler = await continuation(handler_call_details)
        if handler is None:  # there is no such method
            return handler
        assert handler.request_deserializer is not None
        limit = PUBLIC_REQUEST_SIZE if method.startswith(PUBLIC) else REQUEST_SIZE
        decode = decoder(handler.request_deserializer, limit)
        if not handler.request_streaming:
            return self._receive_one(handler, decode, call)
        receive: _Receive = partial(
            self._receive_until_draining if method.startswith(_REFLECTION) else self._receive_all, decode
        )
        make, function = _unwrap(handler)
        wrapped = (
            _wrap_generator(call, function, receive)
            if inspect.isasyncgenfunction(function)
            else _wrap_coroutine(call, partial(self._serve_all, call, function, receive))
        )
        return make(wrapped, response_serializer=handler.response_serializer)

    def _refuse(self, call: _Call, size: int) -> grpc.RpcMethodHandler[Any, Any]:
        """A handler that receives nothing, of a call with metadata of this size."""

        async def refuse(requests: object, context: _Context) -> None:
            self._floods.note_metadata(context.peer(), size)
            refusal = too_large(size)
            self._admission.count_refused(context.peer(), refusal)
            with (call_log := call.log(context)):
                ended = [await call_log.abort(refusal)]
                del requests, context, call_log
                raise ended.pop()

        return grpc.stream_stream_rpc_method_handler(refuse)

    def _receive_one(
        self, handler: Any, decode: Callable[[bytes], Decoded], call: _Call
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """A handler of a method with one request, which receives it itself, once the call is admitted.

        grpc.aio would wait for it without bounds, before it calls anything, and leave a call that ends without a
        request unanswered.
        """

        async def respond(context: _Context, record: CallRecord) -> bytes:
            principal = await call.admit(context, record)
            memory = self._memory.of(current_caller())
            data, charge = await memory.receive(context)
            try:
                request = await finish_decoding(decode(data), self._slices)
                del data
                record.note_job(request)
                with self._calls.serving(principal):
                    response = await handler.unary_unary(request, context)
                record.note_job(response)
                answer: bytes = handler.response_serializer(response)
                del request, response
                await memory.respond(context, len(answer), charge)
                return answer
            finally:
                charge.release()

        async def stream(context: _Context, record: CallRecord) -> None:
            principal = await call.admit(context, record)
            data, charge = await self._memory.of(current_caller()).receive(context)
            try:
                request = await finish_decoding(decode(data), self._slices)
                del data
                record.note_job(request)
            finally:
                charge.release()
            with self._calls.serving(principal):
                async with ResponseWriter(context) as write:
                    await handler.unary_stream(request, ResponseStream(write))

        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(
                _wrap_coroutine(call, stream), response_serializer=handler.response_serializer
            )
        return grpc.stream_unary_rpc_method_handler(_wrap_coroutine(call, respond))

    async def _serve_all(
        self,
        call: _Call,
        function: Callable[..., Any],
        receive: _Receive,
        context: _Context,
        record: CallRecord,
    ) -> Any:
        principal = await call.admit(context, record)
        with self._calls.serving(principal):
            return await function(receive(context), context)

    def _receive_all(self, decode: Callable[[bytes], Decoded], context: _Context) -> ReceivedRequests:
        caller = current_caller()
        received = self._memory.of(caller).receive_all(context)
        return ReceivedRequests(received, decode, caller, self._admission.turns, self._slices)

    async def _receive_until_draining(
        self, decode: Callable[[bytes], Decoded], context: _Context
    ) -> AsyncIterator[Message]:
        requests = self._receive_all(decode, context)
        stopping = asyncio.ensure_future(self._admission.draining.wait())
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


@lru_cache(maxsize=64)
def _refusing(refusal: Refusal) -> grpc.RpcMethodHandler[Any, Any]:
    """The handler of all calls with this refusal, which leave no line in a log.

    It sets the status instead of aborting the call: there may be a hundred thousand at a time, and there is no error.
    """
    status = rpc_status.to_status(refusal_status(refusal))

    async def refuse(_: object, context: _Context) -> None:
        context.set_code(status.code)
        context.set_details(status.details)
        context.set_trailing_metadata(status.trailing_metadata)

    return grpc.stream_stream_rpc_method_handler(refuse)


def _unwrap(handler: Any) -> tuple[Callable[..., grpc.RpcMethodHandler[Any, Any]], Callable[..., Any]]:
    """The constructor of a handler of many requests, and the function that it wraps."""
    if handler.response_streaming:
        return grpc.stream_stream_rpc_method_handler, handler.stream_stream
    return grpc.stream_unary_rpc_method_handler, handler.stream_unary


def _wrap_coroutine(
    call: _Call, serve: Callable[[_Context, CallRecord], Coroutine[Any, Any, Any]]
) -> Callable[..., Any]:
    async def handle(requests: object, context: _Context) -> Any:
        with (call_log := call.log(context)) as record:
            try:
                return await call.admission.ends.run(
                    serve(context, record), lambda: call.floods.note_left(record.peer, record.seconds)
                )
            except Exception as error:  # noqa: BLE001  # what ends the call is raised
                ended = [await call_log.abort(error)]
                del requests, context, call_log, record
                raise ended.pop() from None

    return handle


def _wrap_generator(call: _Call, function: Callable[..., Any], receive: _Receive) -> Callable[..., Any]:
    async def handle(requests: object, context: _Context) -> AsyncIterator[Any]:
        with (call_log := call.log(context)) as record:
            try:
                await call.admit(context, record)
                async for response in function(receive(context), context):
                    yield response
            except Exception as error:  # noqa: BLE001  # what ends the call is raised
                ended = [await call_log.abort(error)]
                del requests, context, call_log, record
                raise ended.pop() from None

    return handle
