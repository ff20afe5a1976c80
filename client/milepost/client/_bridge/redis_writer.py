"""Writes events to Redis, each exactly once to the stream: stream, messages and position change together."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import AuthenticationError

from milepost.client._bridge.redis_server import OUTAGE, cancellable, describe
from milepost.client._transport.backoff import Backoff

__all__ = ["AnotherBridge", "Outgoing", "RedisWriter", "WrittenPosition"]

_logger = logging.getLogger("milepost.client")

# The state is a hash. Its number of the last batch tells a batch that is written already, whose answer got lost, from
# a new one; its writer is the bridge that started last.
_WRITE: Final = """
local writer, batch = unpack(redis.call('HMGET', KEYS[1], 'writer', 'batch'))
if writer and writer ~= ARGV[1] then return 'another' end
if writer and batch == ARGV[2] then return 'ok' end
for i = 6, #ARGV, 6 do
    if ARGV[5] ~= '' then
        redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'event', ARGV[i + 2], 'job_id', ARGV[i + 3],
            'sequence', ARGV[i + 4], 'epoch', ARGV[3], 'data', ARGV[i + 5])
    end
    if ARGV[i] ~= '' then redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end
end
redis.call('HSET', KEYS[1], 'writer', ARGV[1], 'batch', ARGV[2])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'epoch', ARGV[3], 'position', ARGV[4]) end
return writer and 'ok' or 'lost'
"""

_TAKE_OVER: Final = """
local written = redis.call('HMGET', KEYS[1], 'epoch', 'position')
redis.call('HSET', KEYS[1], 'writer', ARGV[1], 'batch', 0)
return written
"""

_Argument: TypeAlias = "str | int"


class AnotherBridge(Exception):
    """Another bridge has started since, and writes with the same state."""


class WrittenPosition(NamedTuple):
    """The position up to which all events were written, and the epoch of its store."""

    epoch: str
    position: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The entries to write for one item of a watch.

    Attributes:
        channel: Where it is published; empty for nowhere.
        published: What is published there.
        event: Name of the event.
        job_id: The job.
        sequence: Sequence of the event within the job; 0 for none.
        data: The item as JSON.
    """

    channel: str
    published: str
    event: str
    job_id: str
    sequence: int
    data: str


class RedisWriter:
    """Writes batches of items, and the position after each. Waits while Redis is away."""

    def __init__(self, redis: Redis, name: str, *, state: str, stream: str, max_length: int) -> None:
        """Connect nothing yet.

        Args:
            redis: The client.
            name: What to call the server.
            state: Key of the hash that has the position.
            stream: Key of the stream; empty for none.
            max_length: Approximate number of entries that the stream keeps.
        """
        self._redis = redis
        self._name = name
        self._state = state
        self._stream = stream
        self._max_length = max_length
        self._writer = str(uuid.uuid4())
        self._batch = 0
        self._take_over_script = redis.register_script(_TAKE_OVER)
        self._write_script = redis.register_script(_WRITE)
        self._is_away = False

    async def take_over(self) -> WrittenPosition | None:
        """Become the only writer of this state, once Redis is there; return what an earlier one wrote, if any.

        Raises:
            AuthenticationError: Redis refuses the credentials.
        """
        epoch, position = await self._call(self._take_over_script, [self._state], [self._writer], first=True)
        return None if position is None else WrittenPosition(epoch.decode(), int(position))

    async def write(self, items: Sequence[Outgoing], epoch: str, position: int | None) -> None:
        """Write a batch, once Redis is there.

        Args:
            items: The items.
            epoch: Epoch of the store.
            position: Position after the batch; None: as before, with the epoch that it is of.

        Raises:
            AnotherBridge: Another one writes.
        """
        self._batch += 1
        arguments: list[_Argument] = [self._writer, self._batch, epoch, "" if position is None else position]
        arguments.append(self._max_length if self._stream else "")
        for item in items:
            arguments += [item.channel, item.published, item.event, item.job_id, item.sequence, item.data]
        # The state stands for a stream that is not written: a script names the keys that it uses.
        outcome = await self._call(self._write_script, [self._state, self._stream or self._state], arguments)
        if outcome == b"another":
            raise AnotherBridge
        if outcome == b"lost":
            _logger.warning(
                "Redis at %s has lost the position of this bridge, and maybe more; going on", self._name
            )

    async def _call(
        self, script: AsyncScript, keys: list[str], arguments: list[_Argument], *, first: bool = False
    ) -> Any:
        """Run a script once Redis is there; refused credentials may pass, but for the first call."""
        backoff = Backoff()
        while True:
            try:
                answer = await cancellable(script(keys, arguments))
            except OUTAGE as error:
                if first and isinstance(error, AuthenticationError):
                    raise
                self._away(error)
                await asyncio.sleep(backoff.next_delay())
            else:
                self._back()
                return answer

    def _away(self, error: BaseException) -> None:
        if not self._is_away:
            self._is_away = True
            _logger.warning("%s; trying again until it is back", describe(error, self._name))

    def _back(self) -> None:
        if self._is_away:
            self._is_away = False
            _logger.warning("Redis at %s is back", self._name)
