"""Reads channels of Redis for as long as it runs, across outages."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import AuthenticationError

from milepost.client._bridge.redis_server import OUTAGE, cancellable, describe
from milepost.client._transport.backoff import Backoff

__all__ = ["RedisSubscriber"]

_logger = logging.getLogger("milepost.client")

# Seconds without anything until the server is asked whether it is there, and until it counts as gone.
_PING_INTERVAL: Final = 10.0
_GLOB: Final = frozenset("*?[")


class RedisSubscriber:
    """Passes each message of some channels on. What is published while Redis cannot be read is lost; it says so.

    Attributes:
        is_reading: Whether the server has confirmed the subscriptions, and nothing went wrong since.
    """

    def __init__(
        self,
        redis: Redis,
        name: str,
        channels: Sequence[str],
        receive: Callable[[str, bytes], None],
        interrupted: Callable[[float], None],
        *,
        ping_interval: float = _PING_INTERVAL,
    ) -> None:
        """Connect nothing yet.

        Args:
            redis: The client.
            name: What to call the server.
            channels: Names, or patterns with ``*``, ``?`` or ``[…]``.
            receive: Gets each message, with the name of its channel.
            interrupted: Called when messages may have been lost, with the seconds of the outage.
            ping_interval: Seconds without messages until the server is asked whether it is there.
        """
        self._redis = redis
        self._name = name
        self._patterns = [channel for channel in channels if _GLOB & set(channel)]
        self._channels = [channel for channel in channels if not _GLOB & set(channel)]
        self._receive = receive
        self._interrupted = interrupted
        self._ping_interval = ping_interval
        self._newest_channel = b""
        # Through which subscriptions the newest message has come; None for that of the channel itself.
        self._newest_came_by: set[bytes | None] = set()
        self._was_read = False
        self._lost_at: float | None = None
        self._backoff = Backoff()
        self.is_reading = False

    async def run(self) -> None:
        """Read until cancelled.

        Raises:
            AuthenticationError: Redis refuses the credentials from the beginning.
        """
        while True:
            try:
                await cancellable(self._connect())
            except OUTAGE as error:
                self.is_reading = False
                if isinstance(error, AuthenticationError) and not self._was_read:
                    raise
                if self._lost_at is None:
                    self._lost_at = time.monotonic()
                    _logger.warning("%s; trying again until it is back", describe(error, self._name))
            await asyncio.sleep(self._backoff.next_delay())

    async def _connect(self) -> None:
        """Subscribe, and read until something goes wrong."""
        self._newest_came_by.clear()
        async with self._redis.pubsub() as subscription:
            await self._subscribe(subscription)
            if self._lost_at is not None:
                away, self._lost_at = time.monotonic() - self._lost_at, None
                text = "Redis at %s is back after %.1f s; what was published meanwhile is lost"
                _logger.warning(text, self._name, away)
                self._interrupted(away)
            if not self._was_read:
                self._was_read = True
                names = ", ".join((*self._channels, *self._patterns))
                _logger.info("reading %s of Redis at %s", names, self._name)
            self.is_reading = True
            self._backoff.reset()
            await self._read(subscription)

    async def _subscribe(self, subscription: PubSub) -> None:
        """Subscribe, and wait until the server has confirmed it all."""
        if self._channels:
            await subscription.subscribe(*self._channels)
        if self._patterns:
            await subscription.psubscribe(*self._patterns)
        missing = len(self._channels) + len(self._patterns)
        while missing:
            message = await subscription.get_message(timeout=self._ping_interval)
            if message is None:
                raise TimeoutError
            if message["type"] in ("subscribe", "psubscribe"):
                missing -= 1
            else:
                self._pass_on(message)

    async def _read(self, subscription: PubSub) -> None:
        asked = False
        while True:
            message = await subscription.get_message(timeout=self._ping_interval)
            if message is not None:
                asked = False
                self._pass_on(message)
            elif asked:
                raise TimeoutError
            else:
                asked = True
                await subscription.ping()

    def _pass_on(self, message: dict[str, bytes | str | None]) -> None:
        channel, data = message["channel"], message["data"]
        if (
            message["type"] in ("message", "pmessage")
            and isinstance(channel, bytes)
            and isinstance(data, bytes)
            and not self._is_copy(channel, message["pattern"])
        ):
            self._receive(channel.decode(errors="replace"), data)

    def _is_copy(self, channel: bytes, subscription: bytes | str | None) -> bool:
        """Whether the newest message has come by another subscription already.

        Redis sends a message once for each subscription that its channel matches, in a row. All messages of a channel
        match the same ones, so the next message is the one that comes by a subscription again.
        """
        assert not isinstance(subscription, str)
        came_by = self._newest_came_by
        is_copy = bool(came_by) and channel == self._newest_channel and subscription not in came_by
        if not is_copy:
            self._newest_channel = channel
            came_by.clear()
        came_by.add(subscription)
        return is_copy
