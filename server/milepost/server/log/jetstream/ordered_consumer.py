"""An ordered consumer of the stream, which delivers all messages from where the node stands.

It pulls messages in batches and requests the next batch before the last one is used up, so that the consumer neither
floods the node nor leaves it idle. A NATS consumer lives on one server and may disappear with it. So if it misses its
heartbeats, or its count has a gap, this makes another one from where the node stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.js import api

from milepost.server.log.jetstream.backlog import Backlog
from milepost.server.log.jetstream.nats_access import ConnectionLost
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.jetstream.write_faults import WriteFaults
from milepost.server.scheduling.steps import SLICE_STEPS

_logger = structlog.get_logger("milepost.nats")

# The size of one request in messages and bytes, and the number outstanding at which the next request goes out.
_REQUEST_MESSAGES: Final = 2000
_REQUEST_BYTES: Final = 16 << 20
_REFILL_THRESHOLD: Final = 1000

# In seconds: the expiry of a request, and the heartbeat of an idle consumer.
_REQUEST_EXPIRY: Final = 60.0
_HEARTBEAT: Final = 1.0

# Number of heartbeats without a message after which the consumer is dead. Time is no measure: of a node that stood
# still, as on a paused machine, it may have passed while messages have arrived that the node has yet to read.
_SILENCE_LIMIT: Final = 3

# Interval in seconds between checks of the stream: a consumer may be cut off from it without knowing.
_CHECK_INTERVAL: Final = 5.0

# Time in seconds after which a server removes an abandoned consumer.
_CONSUMER_EXPIRY: Final = 60.0

# Steps (see ``steps``) of each message, and the bytes of it that are decoded in one further step.
_MESSAGE_STEPS: Final = 25
_BYTES_A_STEP: Final = 256

# Field of the stream sequence in a message's reply subject, in the form without a domain and with one.
_LENGTH_SHORT: Final = 9
_FIELDS_SHORT: Final = 5
_FIELDS_LONG: Final = 7

# Backoff in seconds before the next consumer.
_RETRY_DELAY: Final = 0.1


class OrderedConsumer:
    """Calls ``deliver(sequence, subject, data)`` with every message after ``start``, in order.

    It awaits ``check(last)`` before it makes each consumer, and every ``_CHECK_INTERVAL`` seconds: ConnectionLost makes
    it retry, any other exception ends it. ``last`` is the newest message that it delivered. While NATS refuses it a
    consumer there is a fault in ``faults``. While the ``backlog`` is full it delivers nothing and requests nothing.

    Attributes:
        pauses: How often it yielded to other tasks between messages that had arrived.
    """

    def __init__(
        self,
        connection: NatsConnection,
        names: StreamNames,
        start: int,
        deliver: Callable[[int, str, bytes], None],
        check: Callable[[int], Awaitable[None]],
        faults: WriteFaults,
        backlog: Backlog,
    ) -> None:
        self._connection = connection
        self._backlog = backlog
        self._names = names
        self.last = start
        self._deliver = deliver
        self._check = check
        self._checked_at = 0.0
        self._faults = faults
        self._expected = 1
        self._outstanding = 0
        # Since the last pause, of a microsecond about.
        self._steps = 0
        self.pauses = 0
        self._broken = asyncio.Event()
        self._silent = 0
        self._refill = asyncio.Event()
        self._inbox = ""
        self._stopping = False

    def connection_lost(self) -> None:
        """Make another consumer, since the connection broke."""
        self._broken.set()

    async def check(self) -> None:
        """Check the stream now; see ``run``."""
        await self._check(self.last)

    def check_soon(self) -> None:
        """Check the stream now rather than at the next interval."""
        self._checked_at = float("-inf")
        self._refill.set()

    def stop(self) -> None:
        """End it, even if a cancellation gets lost."""
        self._stopping = True
        self._broken.set()

    async def run(self) -> None:
        """Follow the stream until cancelled or stopped, or until ``check`` fails."""
        last_error = ""
        while not self._stopping:
            await self._connection.wait_up()
            try:
                await self._consume()
                last_error = ""
            except (ConnectionLost, nats.errors.Error, OSError) as error:
                if str(error) != last_error:
                    last_error = str(error)
                    _logger.info("consumer lost; retrying", error=last_error)
                if isinstance(error, nats.js.errors.APIError):
                    self._faults.set("consumer", f"NATS does not let this node follow the stream: {error}.")
            await asyncio.sleep(_RETRY_DELAY)

    async def _consume(self) -> None:
        """Consume from one consumer for as long as it works."""
        await self._check(self.last)
        if self._stopping:
            return
        self._broken.clear()
        self._expected, self._outstanding = 1, 0
        client = self._connection.client
        inbox = self._inbox = client.new_inbox()
        consumer = ""
        # The client must not drop messages of a burst; the requests bound their number.
        subscription = await client.subscribe(
            inbox,
            cb=partial(self._on_message, inbox),
            pending_msgs_limit=4 * _REQUEST_MESSAGES,
            pending_bytes_limit=4 * _REQUEST_BYTES,
        )
        try:
            config = api.ConsumerConfig(
                deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=self.last + 1,
                ack_policy=api.AckPolicy.NONE,
                replay_policy=api.ReplayPolicy.INSTANT,
                inactive_threshold=_CONSUMER_EXPIRY,
                num_replicas=1,
                mem_storage=True,
            )
            info = await self._connection.ask(
                lambda jetstream: jetstream.add_consumer(self._names.stream, config)
            )
            consumer = info.name
            self._faults.set("consumer", "")
            await self._request(inbox, consumer)
            await self._watch(inbox, consumer)
        finally:
            with contextlib.suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()
            if self._connection.up and consumer:
                with contextlib.suppress(ConnectionLost, nats.errors.Error):
                    await self._connection.ask(
                        lambda jetstream: jetstream.delete_consumer(self._names.stream, consumer)
                    )

    async def _watch(self, inbox: str, consumer: str) -> None:
        """Keep requests outstanding; return when the consumer no longer works."""
        loop = asyncio.get_running_loop()
        self._checked_at = loop.time()
        self._silent = 0
        while not self._broken.is_set():
            self._refill.clear()
            if self._outstanding <= _REFILL_THRESHOLD and not self._backlog.is_full:
                await self._request(inbox, consumer)
            refill = asyncio.create_task(self._refill.wait())
            broken = asyncio.create_task(self._broken.wait())
            try:
                woken, _ = await asyncio.wait(
                    (refill, broken), timeout=_HEARTBEAT, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                refill.cancel()
                broken.cancel()
            if not woken and not self._backlog.is_full:  # silence counts only while the node listens
                self._silent += 1
            if self._silent >= _SILENCE_LIMIT:
                return
            if loop.time() - self._checked_at > _CHECK_INTERVAL:
                self._checked_at = loop.time()
                await self._check(self.last)

    async def _request(self, inbox: str, consumer: str) -> None:
        request = {
            "batch": _REQUEST_MESSAGES,
            "max_bytes": _REQUEST_BYTES,
            "expires": int(_REQUEST_EXPIRY * 1e9),
            "idle_heartbeat": int(_HEARTBEAT * 1e9),
        }
        self._outstanding += _REQUEST_MESSAGES
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._names.stream}.{consumer}"
        await self._connection.client.publish(subject, json.dumps(request).encode(), reply=inbox)

    async def _on_message(self, inbox: str, message: Msg) -> None:
        if inbox != self._inbox:  # a message of an abandoned consumer
            return
        self._silent = 0
        if not message.reply.startswith("$JS.ACK."):
            self._on_status(message)
            return
        if self._broken.is_set():
            return
        fields = message.reply.split(".")
        at = _FIELDS_SHORT if len(fields) == _LENGTH_SHORT else _FIELDS_LONG
        sequence, number = int(fields[at]), int(fields[at + 1])
        if number != self._expected:
            self._broken.set()
            return
        self._expected = number + 1
        self._outstanding -= 1
        if self._outstanding <= _REFILL_THRESHOLD:
            self._refill.set()
        self.last = sequence
        self._deliver(sequence, message.subject, message.data)
        if self._backlog.is_full:
            await self._backlog.wait_for_room()
            self._refill.set()
        self._steps += _MESSAGE_STEPS + len(message.data) // _BYTES_A_STEP
        if self._steps >= SLICE_STEPS:
            # The client calls this for all that waits in its queue, without a pass of the event loop in between.
            self._steps = 0
            self.pauses += 1
            await asyncio.sleep(0)

    def _on_status(self, message: Msg) -> None:
        headers = message.headers or {}
        status = headers.get("Status", "")
        if status == "100":
            return
        pending = headers.get("Nats-Pending-Messages")
        # The request has ended; the next one has to ask for its remainder.
        if pending is not None:
            self._outstanding -= int(pending)
            self._refill.set()
        else:
            self._broken.set()
