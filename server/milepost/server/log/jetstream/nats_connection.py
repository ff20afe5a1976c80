"""The connection to NATS: reconnects, publishes, sends requests to JetStream, and reports whether it is up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import ssl
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NamedTuple, TypeVar

import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.protocol.parser import PERMISSIONS_ERR

from milepost.server.base.fault_log import FaultLog
from milepost.server.log.commit_times import CommitTimes
from milepost.server.log.jetstream.nats_access import ConnectionLost, NatsAccess
from milepost.server.scheduling.own_files import own_socket

_logger = structlog.get_logger("milepost.nats")

_Answer = TypeVar("_Answer")

# The credentials in a URL, which must not be logged.
_LOGIN = re.compile("//[^/]*@")

# Pings detect a dead server: their interval in seconds, and the number that may be unanswered.
_PING_INTERVAL = 2
_PINGS_OUTSTANDING = 2
_CONNECT_TIMEOUT = 2
_RECONNECT_WAIT = 0.2

# Time in seconds without an answer of JetStream before it connects to another server. Electing another leader takes
# less, and needs no other server.
_UNANSWERED_LIMIT = 10.0

# Interval in seconds at which closing cancels a pending attempt to connect again.
_CANCEL_INTERVAL = 0.1

# Timeout of one request to JetStream in seconds.
REQUEST_TIMEOUT = 2.0


class Reply(NamedTuple):
    """JetStream's answer to a published message: its sequence in the stream, or an error code with its text."""

    sequence: int
    error: int = 0
    text: str = ""


class _ReconnectingClient(Client):
    """A client that also reconnects after the server closed the connection with an error, such as an expired login."""

    async def _process_err(self, err_msg: str) -> None:
        if PERMISSIONS_ERR in err_msg:
            await super()._process_err(err_msg)
            return
        error = nats.errors.Error(err_msg.strip("'"))
        await self._error_cb(error)
        await self._process_op_err(error)

    async def _close(self, status: int, do_cbs: bool = True) -> None:
        try:
            await super()._close(status, do_cbs)
        except OSError:
            # It could not send what was left on a broken connection, and has closed nothing yet.
            self._pending.clear()
            self._pending_data_size = 0
            self._status = Client.DISCONNECTED
            await super()._close(status, do_cbs)

    def abandon_attempt(self) -> None:
        """Close what a failed attempt to connect has opened and started: the next one replaces that without ending it.

        An attempt that fails after its handshake, as without an answer to its first ping, counts as connected by then.
        """
        is_reconnecting = asyncio.current_task() is self._reconnection_task
        transport: Any = self._transport
        if transport is not None and (is_reconnecting or not self.is_connected):
            transport.close()
        if is_reconnecting:
            for task in (self._reading_task, self._ping_interval_task, self._flusher_task):
                if task is not None:
                    task.cancel()

    def own_socket(self) -> None:
        """Have the event loop look at the connection in every pass."""
        writer: asyncio.StreamWriter | None = getattr(self._transport, "_io_writer", None)
        if writer is not None:  # a websocket has none
            own_socket(writer)

    async def stop_connecting(self) -> None:
        """End the attempts to reconnect.

        An attempt that goes on would connect the closed client again, and it misses a cancellation that coincides with
        a result of its own (https://github.com/python/cpython/issues/86296). So it is cancelled until it has ended.
        """
        while (reconnecting := self._reconnection_task) is not None and not reconnecting.done():
            await _cancel(reconnecting)


class NatsConnection:
    """A connection that reconnects whenever it breaks, and calls ``on_state`` when it goes up (True) or down (False).

    It also moves to another server if JetStream does not answer through this one, which may be cut off from its peers.
    """

    def __init__(self, access: NatsAccess, on_state: Callable[[bool], None]) -> None:
        self._access = access
        self._on_state = on_state
        self.client = _ReconnectingClient()
        self._up = asyncio.Event()
        self._replies: dict[str, asyncio.Future[Reply]] = {}
        self._reply_subject = ""
        self._published = 0
        self._client_errors = FaultLog(_logger, "NATS client error")
        self._connecting: asyncio.Task[None] | None = None
        # By kind of request, the loop's time of the first one without an answer.
        self._unanswered: dict[str, float] = {}
        self._switching: asyncio.Task[None] | None = None
        self.closed = False
        self.commit_times = CommitTimes()
        """Of ``publish``, until the stream has acknowledged."""
        self.breaks = 0
        """Number of times that the connection broke or an answer failed to come."""

    @property
    def up(self) -> bool:
        """Whether NATS is reachable, as far as this node knows."""
        return self._up.is_set()

    async def open(self) -> None:
        """Connect, without a time limit."""
        access = self._access
        store = ",".join(_LOGIN.sub("//", url) for url in access.servers)
        _logger.info("waiting for NATS before serving", store=store)
        connecting = self.client.connect(
            # Shuffled once and then in turn, so that the next server is never the same one.
            servers=random.sample(access.servers, len(access.servers)),
            dont_randomize=True,
            name="milepost",
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            closed_cb=self._on_disconnected,
            connect_timeout=_CONNECT_TIMEOUT,
            reconnect_time_wait=_RECONNECT_WAIT,  # type: ignore[arg-type]  # nats-py only sleeps for it
            max_reconnect_attempts=-1,
            ping_interval=_PING_INTERVAL,
            max_outstanding_pings=_PINGS_OUTSTANDING,
            # No buffering: the caller decides again instead of sending late.
            pending_size=0,
            tls=_tls(access),
            user_credentials=None if access.credentials is None else str(access.credentials),
            nkeys_seed=None if access.nkey_seed is None else str(access.nkey_seed),
        )
        self._connecting = asyncio.create_task(connecting)
        await asyncio.shield(self._connecting)
        self.client.own_socket()
        self._reply_subject = self.client.new_inbox()
        await self.client.subscribe(f"{self._reply_subject}.*", cb=self._on_reply)
        self._set_state(up=True)

    async def close(self) -> None:
        """Close the connection."""
        self.closed = True
        if self._connecting is None:  # a client can be closed only after it began to connect
            return
        while not self._connecting.done():  # a connect may mistake a cancellation for one more failed attempt
            await _cancel(self._connecting)
        await self.client.stop_connecting()
        await self.client.close()

    async def wait_up(self) -> None:
        """Wait until NATS is reachable."""
        await self._up.wait()

    async def publish(self, subject: str, message: bytes, expected: int, timeout: float) -> Reply:
        """Publish a message after the ``expected`` one of its subject (0: none). Raises ConnectionLost."""
        if not self.up:
            raise ConnectionLost("not connected to NATS")
        self._published += 1
        token = f"{self._reply_subject}.{self._published}"
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._replies[token] = reply
        headers = {"Nats-Expected-Last-Subject-Sequence": str(expected)}
        began = time.monotonic()
        with self._expecting_answer("published"):
            try:
                async with asyncio.timeout(timeout):
                    await self.client.publish(subject, message, reply=token, headers=headers)
                    answer = await reply
            except TimeoutError:
                raise ConnectionLost("NATS did not answer in time") from None
            except (nats.errors.Error, OSError) as error:
                raise ConnectionLost(str(error)) from error
            finally:
                self._replies.pop(token, None)
        if not answer.error:
            self.commit_times.note(time.monotonic() - began)
        return answer

    async def ask(self, question: Callable[[JetStreamContext], Coroutine[Any, Any, _Answer]]) -> _Answer:
        """Send a request to JetStream. Raises ConnectionLost if it does not answer; its API errors pass through.

        A task of its own sends the request, since a cancellation that coincides with the answer would get lost
        (https://github.com/python/cpython/issues/86296).
        """
        if not self.up:
            raise ConnectionLost("not connected to NATS")
        asking = asyncio.create_task(question(self.client.jetstream(timeout=REQUEST_TIMEOUT)))
        asking.add_done_callback(lambda asked: asked.cancelled() or asked.exception())
        with self._expecting_answer("asked"):
            try:
                return await asyncio.shield(asking)
            except nats.errors.TimeoutError:
                raise ConnectionLost("NATS did not answer in time") from None
            except nats.js.errors.ServiceUnavailableError as error:
                raise ConnectionLost(f"JetStream does not answer: {error.description}") from error
            except nats.js.errors.APIError:
                raise
            except (nats.errors.Error, OSError) as error:
                raise ConnectionLost(str(error)) from error
            finally:
                del asking  # which has the error, whose traceback has this frame

    @contextlib.contextmanager
    def _expecting_answer(self, kind: str) -> Iterator[None]:
        """Move to another server after too long without an answer, since a connected server may still not work."""
        try:
            yield
        except ConnectionLost:
            self.breaks += 1
            now = asyncio.get_running_loop().time()
            since = self._unanswered.setdefault(kind, now)
            if now - since > _UNANSWERED_LIMIT and self.up:
                self._unanswered.clear()
                _logger.warning(
                    "JetStream does not answer; connecting to another server",
                    server=_server_address(self.client),
                    unanswered=kind,
                )
                self._switching = asyncio.create_task(self.client.force_reconnect())
            raise
        except nats.js.errors.APIError:
            self._unanswered.pop(kind, None)
            raise
        self._unanswered.pop(kind, None)

    async def _on_reply(self, message: Msg) -> None:
        reply = self._replies.get(message.subject)
        if reply is None or reply.done():
            return
        if not message.data:  # no responders: the stream has no leader, or does not exist
            reply.set_exception(ConnectionLost("JetStream does not answer"))
            return
        content: dict[str, Any] = json.loads(message.data)
        error = content.get("error")
        if error is None:
            reply.set_result(Reply(content["seq"]))
        else:
            reply.set_result(Reply(0, error.get("err_code", 0), error.get("description", "")))

    async def _on_disconnected(self) -> None:
        self.breaks += 1
        self._set_state(up=False)
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(ConnectionLost("the connection broke"))

    async def _on_reconnected(self) -> None:
        self._unanswered.clear()
        self.client.own_socket()
        self._set_state(up=True)

    async def _on_error(self, error: Exception) -> None:
        self.client.abandon_attempt()
        text = str(error) or type(error).__name__
        self._client_errors.note(text, error=text)

    def _set_state(self, *, up: bool) -> None:
        if up == self._up.is_set() or self.closed:
            return
        if up:
            self._up.set()
            _logger.info("connected to NATS", server=_server_address(self.client))
        else:
            self._up.clear()
            _logger.warning("disconnected from NATS; reads continue, writes fail")
        self._on_state(up)


async def _cancel(task: asyncio.Task[None]) -> None:
    """Cancel the task, and wait a moment for its end."""
    task.cancel()
    await asyncio.wait((task,), timeout=_CANCEL_INTERVAL)


def _server_address(client: Client) -> str:
    url = client.connected_url
    return "" if url is None else f"{url.hostname}:{url.port}"


def _tls(access: NatsAccess) -> ssl.SSLContext | None:
    if access.tls_ca is None and access.tls_certificate is None:
        return None
    context = ssl.create_default_context(cafile=None if access.tls_ca is None else str(access.tls_ca))
    if access.tls_certificate is not None:
        context.load_cert_chain(access.tls_certificate, access.tls_key)
    return context
