"""A backend that makes its calls over a client, for an application with users of its own."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2
from starlette.requests import Request

from milepost.client import Client, errors
from milepost.client._raw_calls import RawCalls
from milepost.client._transport.token_source import checked_token
from milepost.contract.job_texts import no_job
from milepost.contract.reasons import reason_name
from milepost.v1 import GetHistoryRequest, WatchJobRequest, WhoAmIResponse
from milepost.web.application_refusal import named_in, not_allowed
from milepost.web.http_errors import service_error
from milepost.web.request_body import malformed
from milepost.web.service import METHODS, Caller, ReceiveRequest, Send, ServiceError, Steps, path_of
from milepost.web.shared_watches import SharedWatches

_logger = logging.getLogger("milepost.web")

_RETRY_DELAY: Final = 1.0
"""Seconds after which a server that cannot be reached may be there."""

_Outcome = TypeVar("_Outcome")


class ClientCall(NamedTuple):
    """A call that a request asks for."""

    method: str
    """Its method, such as ``"CancelJob"``."""
    request: Any
    """Its message, such as ``CancelJobRequest``. The call is made with what ``authorize`` changes in it."""


Authorize: TypeAlias = Callable[[Request, ClientCall], "bool | str | Awaitable[bool | str]"]
"""Decides about a call: True makes it with the client's credential, False (or None, or an empty text) refuses it, and a
text is the token to make it with, so that Milepost decides what its bearer may do. It may narrow the call
(``call.request.filter.owner = …``), and raise what its own calls raise, such as ``JobNotFound`` to hide that a job
exists: the answer is that of Milepost about a job that does not."""


class ClientBackend:
    """See ``JobsBackend``."""

    def __init__(self, client: Client, authorize: Authorize) -> None:
        self._calls = RawCalls(client)
        self._authorize = authorize
        self._shared = SharedWatches()

    @asynccontextmanager
    async def call(self, method: str, receive: ReceiveRequest, caller: Caller) -> AsyncGenerator[bytes, None]:
        """See ``JobsBackend``."""
        try:
            response = await self._respond(method, receive, caller)
        except errors.MilepostError as error:
            raise _service_error(error) from error
        yield response

    async def decode(self, method: str, response: Message | bytes) -> Message:
        """See ``JobsBackend``."""
        if isinstance(response, Message):
            return response
        return GetMessageClass(METHODS[method].output_type).FromString(response)

    async def watch(self, method: str, receive: ReceiveRequest, caller: Caller, send: Send) -> None:
        """See ``JobsBackend``."""
        try:
            request = await _received(method, receive)
            token = await self._admit(ClientCall(method, request), caller)
            frames = self._calls.watch(path_of(method), request.SerializeToString(), token)
            if isinstance(request, WatchJobRequest) and not request.no_follow:
                await self._shared.watch((token, _followed(request)), frames, send)
                return
            async with aclosing(frames):
                async for frame in frames:
                    await send(frame)
        except errors.MilepostError as error:
            raise _service_error(error) from error

    async def run_in_slices(self, steps: Steps[_Outcome]) -> _Outcome:
        """See ``JobsBackend``."""
        while True:
            try:
                next(steps)
            except StopIteration as done:
                outcome: _Outcome = done.value
                return outcome
            await asyncio.sleep(0)

    async def _respond(self, method: str, receive: ReceiveRequest, caller: Caller) -> bytes:
        request = await _received(method, receive)
        try:
            token = await self._admit(ClientCall(method, request), caller)
        except _NotAllowed:
            if method != "WhoAmI":
                raise
            return (await self._unnamed(caller)).SerializeToString()
        return await self._calls.call(path_of(method), request.SerializeToString(), token)

    async def _unnamed(self, caller: Caller) -> WhoAmIResponse:
        """What pages are to know of a user whom the application does not name: whether they may ask for histories."""
        try:
            await self._admit(ClientCall("GetHistory", GetHistoryRequest()), caller)
        except Exception as error:  # the application may expect a kind here
            if not isinstance(error, ServiceError):
                _logger.debug("authorize failed about a history that nobody has asked for", exc_info=error)
            return WhoAmIResponse()
        return WhoAmIResponse(scopes=["read"])

    async def _admit(self, call: ClientCall, caller: Caller) -> str | None:
        """The token to make an authorised call with; None for that of the client. Raises _NotAllowed."""
        named = named_in(call.request)  # before `authorize` may change it
        try:
            decided = self._authorize(Request(caller.scope), call)
            allowed = await decided if inspect.isawaitable(decided) else decided
        except errors.JobNotFound as error:
            if "job_id" in error.metadata:  # the server's
                raise
            if not named[0]:  # there is no job that it could hide
                raise _NotAllowed(not_allowed(call.method, *named)) from error
            # The application's, to hide that the job exists: the same as the server's about one that does not.
            text, metadata = no_job(named[0]), {"job_id": named[0]}
            raise service_error(
                code_pb2.NOT_FOUND, text, reason="JOB_NOT_FOUND", metadata=metadata
            ) from error
        # Only True allows the client's own credential: a function that forgets to return allows nothing.
        if not allowed:
            raise _NotAllowed(not_allowed(call.method, *named))
        if allowed is not True and not isinstance(allowed, str):
            raise TypeError(
                f"authorize returned {type(allowed).__name__}; it returns a bool, or a token as text."
            )
        return None if allowed is True else _checked(allowed)


class _NotAllowed(ServiceError):
    """The application does not allow a call."""

    def __init__(self, message: str) -> None:
        super().__init__(
            service_error(code_pb2.PERMISSION_DENIED, message, reason="PERMISSION_DENIED").status
        )


async def _received(method: str, receive: ReceiveRequest) -> Message:
    received = await receive(lambda size: None)
    if not isinstance(received, bytes):
        return received
    try:
        return GetMessageClass(METHODS[method].input_type).FromString(received)
    except DecodeError as error:
        raise malformed("The request cannot be decoded.") from error


def _checked(token: str) -> str:
    """A token of a visitor, who may send anything. Raises ServiceError UNAUTHENTICATED for what cannot be one."""
    try:
        return checked_token(token)
    except ValueError as error:
        text = f"The credential cannot be used: {error}."
        raise service_error(code_pb2.UNAUTHENTICATED, text, reason="UNAUTHENTICATED") from error


def _followed(request: WatchJobRequest) -> bytes:
    """The key of a watch: equal for watches that differ only in where they start."""
    followed = WatchJobRequest()
    followed.CopyFrom(request)
    followed.ClearField("start")
    followed.ClearField("epoch")
    return followed.SerializeToString(deterministic=True)


def _service_error(error: errors.MilepostError) -> ServiceError:
    if not isinstance(error, errors.ServiceError):
        return service_error(code_pb2.UNAVAILABLE, str(error), retry_delay=_RETRY_DELAY)
    return service_error(
        error.code.value[0],
        str(error),
        reason=reason_name(error.reason) if error.reason else "",
        metadata=error.metadata,
        fields=error.violations,
        retry_delay=error.retry_delay,
    )
