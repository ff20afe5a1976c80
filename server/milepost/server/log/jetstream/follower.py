"""How messages come out of the stream: all of them, in order, from where the node stands.

The consumer is asked for messages in batches, the next one before the last is through, so that it neither floods the
node nor lets it wait. It lives on one server, and may be gone with it: whenever it is silent for longer than its
heartbeats, or counts on from another number, another one is made from where the node stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.js import api

from milepost.server.log.jetstream.nats_access import ConnectionLost
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.stream import StreamNames

_log = structlog.get_logger("milepost.nats")

# What one request asks for, and how much may be left of it when the next one goes out.
_REQUEST_MESSAGES: Final = 2000
_REQUEST_BYTES: Final = 32 << 20
_REFILL_THRESHOLD: Final = 1000

# Seconds. How long a request stands, how often an idle consumer is heard from, and how long it may be silent.
_REQUEST_EXPIRY: Final = 60.0
_HEARTBEAT: Final = 1.0
_SILENCE_LIMIT: Final = 3.0

# How often it is looked whether the stream answers, in seconds: an idle consumer may be cut off from it, and not know.
_CHECK_INTERVAL: Final = 5.0

# How long an abandoned consumer is kept by its server, in seconds.
_CONSUMER_EXPIRY: Final = 60.0

# Where a message says its numbers in the stream and of the consumer: in the form without a domain, and with one.
_LENGTH_SHORT: Final = 9
_FIELDS_SHORT: Final = 5
_FIELDS_LONG: Final = 7

# How long to wait before the next consumer is tried, in seconds.
_RETRY_DELAY: Final = 0.1


class Follower:
    """Calls ``deliver(sequence, subject, data)`` with every message after ``start``, in order.

    It awaits ``check`` before it makes each consumer, and every ``_CHECK_INTERVAL`` seconds: ConnectionLost makes it
    retry, any other exception ends it. ``last`` is the newest message that it delivered.
    """

    def __init__(
        self,
        connection: NatsConnection,
        names: StreamNames,
        start: int,
        deliver: Callable[[int, str, bytes], None],
        check: Callable[[], Awaitable[None]],
    ) -> None:
        self._connection = connection
        self._names = names
        self.last = start
        self._deliver = deliver
        self._check = check
        self._expected = 1
        self._left = 0
        self._broken = asyncio.Event()
        self._heard_at = 0.0
        self._refill = asyncio.Event()
        self._inbox = ""
        self._stopping = False

    def connection_lost(self) -> None:
        """The connection broke: what comes over the next one is asked for anew."""
        self._broken.set()

    def stop(self) -> None:
        """Ends it, too, where a cancellation gets lost."""
        self._stopping = True
        self._broken.set()

    async def run(self) -> None:
        """Until cancelled."""
        last_error = ""
        while not self._stopping:
            await self._connection.wait_up()
            try:
                await self._consume()
                last_error = ""
            except (ConnectionLost, nats.errors.Error, OSError) as error:
                if str(error) != last_error:
                    last_error = str(error)
                    _log.info("following is broken off", error=last_error)
            await asyncio.sleep(_RETRY_DELAY)

    async def _consume(self) -> None:
        """One consumer, for as long as it works."""
        await self._check()
        if self._stopping:
            return
        self._broken.clear()
        self._expected, self._left = 1, 0
        client = self._connection.client
        inbox = self._inbox = client.new_inbox()
        consumer = ""
        # Its messages must not be dropped, however many come at once: what was asked for is bounded.
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
            made = await self._connection.ask(
                lambda jetstream: jetstream.add_consumer(self._names.stream, config)
            )
            consumer = made.name
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
        """Asks for more in time; returns when the consumer does not work any more."""
        loop = asyncio.get_running_loop()
        self._heard_at = checked_at = loop.time()
        while not self._broken.is_set():
            self._refill.clear()
            if self._left <= _REFILL_THRESHOLD:
                await self._request(inbox, consumer)
            refill, broken = (
                asyncio.create_task(self._refill.wait()),
                asyncio.create_task(self._broken.wait()),
            )
            try:
                await asyncio.wait((refill, broken), timeout=_HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
            finally:
                refill.cancel()
                broken.cancel()
            if loop.time() - self._heard_at > _SILENCE_LIMIT:
                return
            if loop.time() - checked_at > _CHECK_INTERVAL:
                await self._check()
                checked_at = loop.time()

    async def _request(self, inbox: str, consumer: str) -> None:
        request = {
            "batch": _REQUEST_MESSAGES,
            "max_bytes": _REQUEST_BYTES,
            "expires": int(_REQUEST_EXPIRY * 1e9),
            "idle_heartbeat": int(_HEARTBEAT * 1e9),
        }
        self._left += _REQUEST_MESSAGES
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._names.stream}.{consumer}"
        await self._connection.client.publish(subject, json.dumps(request).encode(), reply=inbox)

    async def _on_message(self, inbox: str, message: Msg) -> None:
        if inbox != self._inbox:  # of a consumer that was given up
            return
        self._heard_at = asyncio.get_running_loop().time()
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
        self._left -= 1
        if self._left <= _REFILL_THRESHOLD:
            self._refill.set()
        self.last = sequence
        self._deliver(sequence, message.subject, message.data)

    def _on_status(self, message: Msg) -> None:
        headers = message.headers or {}
        status = headers.get("Status", "")
        if status == "100":
            return
        pending = headers.get("Nats-Pending-Messages")
        if (
            pending is not None
        ):  # the request is over; what it asked for and did not get is to be asked for again
            self._left -= int(pending)
            self._refill.set()
        else:
            self._broken.set()
