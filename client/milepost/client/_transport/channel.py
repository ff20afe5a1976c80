"""The gRPC channels to a server, created lazily, and the calls on them."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import logging
import time
import weakref
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

from google.protobuf.message import Message

from milepost.client._transport import fork_safety
from milepost.client._transport.backoff import is_transient
from milepost.client._transport.closable_wait import ClosableWait
from milepost.client._transport.error_mapping import error_from_status, is_misconfigured, request_too_large
from milepost.client._transport.fork_safety import grpc
from milepost.client._transport.shared_poller import tolerating_other_loops
from milepost.client._transport.target import Target
from milepost.client._transport.token_source import CallCredential, Metadata, TokenSource
from milepost.client._transport.weak_members import members
from milepost.client.errors import LimitReached, MilepostError, TokenUnavailable
from milepost.contract import limits
from milepost.v1.admin_service_pb2_grpc import AdminServiceStub
from milepost.v1.job_service_pb2_grpc import JobServiceStub
from milepost.v1.worker_service_pb2_grpc import WorkerServiceStub

if TYPE_CHECKING:  # only the stubs define them
    from milepost.v1.admin_service_pb2_grpc import AdminServiceAsyncStub
    from milepost.v1.job_service_pb2_grpc import JobServiceAsyncStub
    from milepost.v1.worker_service_pb2_grpc import WorkerServiceAsyncStub

__all__ = ["SDK", "STREAMS_PER_CONNECTION", "LazyChannel"]

_logger = logging.getLogger("milepost.client")

SDK: Final = f"milepost-python/{importlib.metadata.version('milepost-client')}"
"""Name and version of this SDK, for the server."""

STREAMS_PER_CONNECTION: Final = 500
"""Calls in progress on a connection before the next one is opened: half of what a server accepts."""

_CLOSED: Final = "The client is closed."
# Seconds between two first calls to a server that is unavailable.
_FIRST_CALL_INTERVAL: Final = 0.1
# Seconds for which a call that waits for room is silent, and between two lines of the log about such calls.
_SILENT_WAIT: Final = 3.0
_LOG_INTERVAL: Final = 60.0

_Call = TypeVar("_Call", bound=grpc.aio.Call)
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")
_Result = TypeVar("_Result")


class LazyChannel:
    """Long-lived gRPC channels, created with the first call and whenever the others are full.

    A server bounds the streams of a connection, and gRPC lets further calls wait without a word until others end. So
    no connection gets more than `STREAMS_PER_CONNECTION` calls, and each channel has a connection of its own.
    Channels belong to the process and the event loop that created them; in another one, a call creates new ones.
    """

    def __init__(self, target: Target, *, is_patient: bool = True) -> None:
        """Connect nothing yet. Raises InsecureToken, and ValueError for a text that cannot be a token.

        Unless it `is_patient`, a call fails with the first connection that is refused.
        """
        target.check_token()
        self.target = target
        self._is_patient = is_patient
        self.tokens: TokenSource = TokenSource(target.token)
        self.disconnected_watches: weakref.WeakSet[object] = weakref.WeakSet()
        """Watches that lost their stream and have not reconnected yet; they spread their retries."""
        self._closable_waits: weakref.WeakSet[ClosableWait] = weakref.WeakSet()
        self._delays = self.closable_wait()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connections: list[_Connection] = []
        """The last one is that of new calls."""
        self._retired: list[_Connection] = []
        """Connections with a certificate that was replaced, until their calls have ended."""
        self._closed = False
        self._patience = 0.0
        self._is_told_of_waits = False
        self._next_log = 0.0
        self._on_wait: Callable[[MilepostError], object] | None = None
        fork_safety.register(self)

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop that the channel belongs to; None without a channel."""
        return self._loop if self._connections else None

    def credential(self) -> CallCredential:
        """The credential of a call, or of one stream after another."""
        return CallCredential(self.tokens, self.target.tls_version)

    def closable_wait(self) -> ClosableWait:
        """A wait of somebody who makes calls, which `close` ends with RuntimeError."""
        wait = ClosableWait()
        self._closable_waits.add(wait)
        return wait

    def jobs(self) -> JobServiceAsyncStub:
        """Stub of the service that submits, follows and cancels jobs."""
        return JobServiceStub(self._open())

    def work(self) -> WorkerServiceAsyncStub:
        """Stub of the service for workers."""
        return WorkerServiceStub(self._open())

    def admin(self) -> AdminServiceAsyncStub:
        """Stub of the service for operators."""
        return AdminServiceStub(self._open())

    def unary(self, method: str) -> grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]:
        """The unary method of this path, for serialised messages."""
        return self._open().unary_unary(method)

    def stream(self, method: str) -> grpc.aio.UnaryStreamMultiCallable[bytes, bytes]:
        """The streaming method of this path, for serialised messages."""
        return self._open().unary_stream(method)

    def wait_for_server(self, seconds: float, on_wait: Callable[[MilepostError], object]) -> None:
        """Repeat the first call for so many seconds while the server is unavailable, as one is that just starts.

        `on_wait` is called with the error before the first repetition, also of a call that a limit holds up.
        """
        self._patience, self._on_wait, self._is_told_of_waits = seconds, on_wait, True

    async def call(
        self,
        method: Callable[[], grpc.aio.UnaryUnaryMultiCallable[_Request, _Response]],
        request: _Request,
        timeout: float,
    ) -> _Response:
        """Call a unary method. gRPC itself retries while the server is unavailable, up to five attempts in all.

        While a limit is reached that the server expects to pass, it is called again when the server says. Once the
        token is refused, it is called once more with another one, if there is one.

        Args:
            method: Returns the method, for each call: while this waits, as for a token, the connection may be replaced,
                by a fork or with a certificate.
            request: The request.
            timeout: Seconds for the answer.

        Raises:
            TooLarge: The request exceeds the size limit of a message.
            TokenUnavailable: The callable for tokens failed.
            MilepostError: The server refused the call, or was unreachable for `timeout` seconds.
        """
        return await self.patiently(lambda: self._call(method, request, timeout))

    async def patiently(self, attempt: Callable[[], Awaitable[_Result]]) -> _Result:
        """Make the first call of the channel: again while the server is unavailable, as `wait_for_server` says."""
        loop = asyncio.get_running_loop()
        patience, self._patience = self._patience, 0.0
        until = loop.time() + patience
        while True:
            begun = loop.time()
            try:
                return await attempt()
            except MilepostError as error:
                # The next one will take about as long, since gRPC makes several attempts.
                is_late = 2 * loop.time() - begun >= until
                is_starting = is_transient(error, connected_before=False)
                if (
                    is_late
                    or not is_starting
                    or is_misconfigured(error)
                    or isinstance(error, TokenUnavailable)
                ):
                    raise
                self._announce_wait(error)
            await self._sleep(_FIRST_CALL_INTERVAL)

    def _announce_wait(self, error: MilepostError) -> None:
        """Say that a call is made again after this error, once."""
        if self._on_wait is not None:
            self._on_wait(error)
            self._on_wait = None

    def _log_wait(self, error: LimitReached, left: float) -> None:
        """Log that a call waits for room, and is repeated for `left` seconds more, unless the user was told."""
        now = time.monotonic()
        if not self._is_told_of_waits and now >= self._next_log:
            self._next_log = now + _LOG_INTERVAL
            text = "the server at %s has no room, and is asked again for %.0f s: %s"
            _logger.warning(text, self.target.address, left, error)

    async def _call(
        self,
        method: Callable[[], grpc.aio.UnaryUnaryMultiCallable[_Request, _Response]],
        request: _Request,
        timeout: float,
    ) -> _Response:
        if isinstance(request, Message) and (size := request.ByteSize()) > limits.REQUEST_SIZE:
            raise request_too_large(size)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        deadline = begun + timeout
        credential = self.credential()
        while True:
            try:
                metadata = await credential.metadata(deadline - loop.time())
                return await self.call_once(method(), request, metadata, deadline - loop.time())
            except MilepostError as error:
                # The server has no room now, and says when to try again.
                delay = error.retry_delay if isinstance(error, LimitReached) else None
                if await credential.renew(error, deadline - loop.time()):
                    delay = 0.0
                if delay is None or loop.time() + delay >= deadline:
                    raise
                if isinstance(error, LimitReached):
                    self._announce_wait(error)
                    if loop.time() - begun >= _SILENT_WAIT:
                        self._log_wait(error, deadline - loop.time())
            await self._sleep(delay)

    async def _sleep(self, seconds: float) -> None:
        """Sleep, unless the channel is closed meanwhile."""
        async with self._delays.until_closed():
            await asyncio.sleep(seconds)

    async def call_once(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[_Request, _Response],
        request: _Request,
        metadata: Metadata,
        timeout: float,
    ) -> _Response:
        """Call a unary method with this metadata, and with no other. Raises what ``call`` does."""
        try:
            return await self.track(method(request, timeout=timeout, metadata=metadata))
        except grpc.aio.AioRpcError as error:
            # A kept exception must not keep the channel open through `method`: a fork could not release it.
            del method
            raise error_from_status(error, self.target.address) from error.with_traceback(None)
        except asyncio.CancelledError:
            self.check_cancelled()
            raise

    def track(self, call: _Call) -> _Call:
        """Count this call, just made, on its connection, and keep that open across a fork while it is in progress."""
        calls = self._connections[-1].calls
        calls.add(call)
        call.add_done_callback(calls.discard)
        return call

    def check_cancelled(self) -> None:
        """Raise RuntimeError where a call raised CancelledError because of `close`, and nobody has cancelled its task.

        Whoever awaits the call would take the one for the other.
        """
        task = asyncio.current_task()
        if self._closed and task is not None and not task.cancelling():
            raise RuntimeError(_CLOSED) from None

    def release_if_idle(self) -> None:
        """Drop the channels if no call is in progress; the next call creates a new one."""
        if all(connection.is_idle for connection in (*self._connections, *self._retired)):
            self._connections.clear()
            self._retired.clear()

    async def close(self) -> None:
        """Close the connections, and end all calls on them, also those that wait for what comes before a connection."""
        self._closed = True
        for wait in members(self._closable_waits):
            wait.close(RuntimeError(_CLOSED))
        self.tokens.close(_CLOSED)
        if self._loop is asyncio.get_running_loop():
            for connections in (self._connections, self._retired):
                while connections:
                    await connections.pop().channel.close()

    def check_usable(self) -> None:
        """Raise RuntimeError once `close` was called, or if gRPC was in use when this process was forked."""
        if self._closed:
            raise RuntimeError(_CLOSED)
        fork_safety.claim_process()

    def _open(self) -> grpc.aio.Channel:
        self.check_usable()
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._connections.clear()
            self._retired.clear()
        version = self.target.tls_version()
        self._retire_outdated(version)
        if not self._connections or self._connections[-1].is_full:
            with_room = (connection for connection in self._connections if not connection.is_full)
            connection = next(with_room, None)
            if connection is None:
                with tolerating_other_loops():
                    channel = _create_channel(self.target, is_patient=self._is_patient)
                connection = _Connection(channel, version)
            else:
                self._connections.remove(connection)
            self._connections.append(connection)
        return self._connections[-1].channel

    def _retire_outdated(self, version: object) -> None:
        """Let further calls go to a new connection once certificates were replaced: a channel reads them only once."""
        if self._connections and self._connections[-1].version != version and self.target.certificate_fits():
            self._retired += self._connections
            self._connections.clear()
        if self._retired:
            self._retired = [connection for connection in self._retired if not connection.is_idle]


class _Connection:
    """A channel, the calls in progress on it, and the version of the certificates that it was made with."""

    def __init__(self, channel: grpc.aio.Channel, version: object) -> None:
        self.channel = channel
        self.version = version
        self.calls: weakref.WeakSet[grpc.aio.Call] = weakref.WeakSet()

    @property
    def is_idle(self) -> bool:
        """Whether no call is in progress."""
        return all(call.done() for call in self.calls)

    @property
    def is_full(self) -> bool:
        """Whether further calls go to another connection."""
        return len(self.calls) >= STREAMS_PER_CONNECTION


def _create_channel(target: Target, *, is_patient: bool) -> grpc.aio.Channel:
    options = [
        *_OPTIONS,
        ("grpc.service_config", _service_config(is_patient=is_patient)),
        ("grpc.enable_http_proxy", int(not target.is_local)),
    ]
    if not target.tls:
        return grpc.aio.insecure_channel(target.address, options)
    return grpc.aio.secure_channel(target.address, target.tls_credentials(), options)


def _service_config(*, is_patient: bool) -> str:
    """Retry unary calls, each of which is idempotent: one that `is_patient` while the server is unavailable, too."""
    # A server that gets too many calls at once answers CANCELLED.
    codes = ["UNAVAILABLE", "CANCELLED"] if is_patient else ["CANCELLED"]
    methods = {
        "milepost.v1.JobService": (
            "SubmitJob",
            "GetJob",
            "ListJobs",
            "CancelJob",
            "DeleteJob",
            "ShareJob",
            "RevokeShares",
            "WhoAmI",
            "GetHistory",
        ),
        "milepost.v1.WorkerService": ("ReportJob",),
        "milepost.v1.AdminService": ("ListWorkers",),
    }
    return json.dumps(
        {
            "methodConfig": [
                {
                    "name": [
                        {"service": service, "method": method}
                        for service, names in methods.items()
                        for method in names
                    ],
                    "retryPolicy": {
                        "maxAttempts": 5,  # gRPC's maximum
                        "initialBackoff": "0.1s",
                        "maxBackoff": "2s",
                        "backoffMultiplier": 2,
                        "retryableStatusCodes": codes,
                    },
                }
            ]
        }
    )


_OPTIONS: Final = (
    ("grpc.primary_user_agent", SDK),
    # The server bounds what it stores; a page of large jobs exceeds gRPC's default of 4 MiB.
    ("grpc.max_receive_message_length", -1),
    # Pings detect a dead peer while a call is open: after 15 + 10 seconds.
    ("grpc.keepalive_time_ms", 15_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # The reconnect loops of the SDK have their own backoff.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.use_local_subchannel_pool", 1),
)
