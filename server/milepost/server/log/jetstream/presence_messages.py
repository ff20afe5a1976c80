"""Worker presence between nodes: connected workers and renewed leases, in plain NATS messages outside the log.

A lease lasts as long as any node hears from its worker. Nobody needs a record of that, so it travels in messages that
NATS does not store, and that a node misses while it is cut off. To know whether it is, a node asks the stream as often
as it publishes (rule 14).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any, Final

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg

from milepost.contract import limits
from milepost.server.base.repeating import repeat
from milepost.server.log.jetstream import epoch_holders
from milepost.server.log.jetstream.epoch_holders import EpochHolder
from milepost.server.log.jetstream.nats_access import ConnectionLost
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.peer_contact import PeerContact
from milepost.server.log.jetstream.stream import StreamNames, quorum_age
from milepost.server.log.node_presence import ContactPeriod, Presence
from milepost.v1 import ConnectedWorker

# Ids in one message, and bytes of workers; both far below the limit of NATS.
_IDS_PER_MESSAGE: Final = 2000
_WORKERS_BYTES: Final = 512 << 10

# Intervals without proof after which contact counts as lost. With the interval of ``Core`` they are half of a lease; in
# the other half a healthy worker is heard from at least once. The minimum in seconds is needed because servers of NATS
# hear from each other only once a second.
_CONTACT_TIMEOUT_INTERVALS: Final = 10
_CONTACT_TIMEOUT_MIN: Final = 1.5


class PresenceMessages:
    """Publishes this node's presence, and passes that of the other nodes to ``here``.

    It batches renewed leases for ``interval`` seconds. It publishes connected workers when they change, every
    ``limits.WORKERS_INTERVAL`` seconds, and on request. ``held`` is what this node serves; without ``is_usable`` there
    is no contact, since no node can write.
    """

    def __init__(
        self,
        connection: NatsConnection,
        names: StreamNames,
        here: Presence,
        interval: float,
        *,
        held: Callable[[], EpochHolder],
        is_usable: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._names = names
        self._here = here
        self._interval = interval
        self._held = held
        self._is_usable = is_usable
        self._heard_jobs: dict[str, None] = {}
        self._node = connection.client.new_inbox()
        self._publishing: list[asyncio.Task[None]] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._contact = PeerContact(
            max(_CONTACT_TIMEOUT_INTERVALS * interval, _CONTACT_TIMEOUT_MIN), lambda: connection.breaks
        )

    async def start(self) -> None:
        """Subscribe, and start publishing."""
        await self._connection.client.subscribe(self._names.presence, cb=self._on_message)
        self._publishing = [
            asyncio.create_task(repeat(self._publish_heard_jobs, self._interval)),
            asyncio.create_task(repeat(self._publish_workers, limits.WORKERS_INTERVAL)),
            asyncio.create_task(repeat(self._prove_contact, self._interval, immediately=True)),
        ]

    def contact(self) -> ContactPeriod | None:
        """See ``Peers``."""
        return self._contact.period() if self._is_usable() else None

    def renew_leases(self, job_ids: Iterable[str]) -> None:
        """See ``Presence``."""
        for job_id in job_ids:
            self._heard_jobs[job_id] = None

    def worker_connected(self, instance: str) -> None:
        """See ``Presence``."""
        self._start(self._send(run=instance))

    def update_workers(self, connected: Iterable[ConnectedWorker], left: Iterable[str]) -> None:
        """See ``Presence``."""
        left_sessions = list(left)
        for start in range(0, len(left_sessions), _IDS_PER_MESSAGE):
            self._start(self._send(left=left_sessions[start : start + _IDS_PER_MESSAGE]))
        for encoded in _batches(connected):
            self._start(self._send(workers=encoded))

    def request_workers(self) -> None:
        """See ``Presence``."""
        self._start(self._send(ask=True))

    async def close(self) -> None:
        """Stop publishing."""
        for publishing in self._publishing:
            publishing.cancel()
        await asyncio.gather(*self._publishing, *self._sending, return_exceptions=True)

    async def _publish_heard_jobs(self) -> None:
        heard, self._heard_jobs = list(self._heard_jobs), {}
        for start in range(0, len(heard), _IDS_PER_MESSAGE):
            await self._send(jobs=heard[start : start + _IDS_PER_MESSAGE])

    async def _prove_contact(self) -> None:
        asked = self._contact.begin_question()
        with contextlib.suppress(ConnectionLost, nats.js.errors.APIError):
            self._contact.on_answer(asked, await quorum_age(self._connection, self._names))

    async def _publish_workers(self) -> None:
        if self._connection.up:  # while cut off a node hears nobody, so it must not expire workers
            self._here.request_workers()

    def _start(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(sending)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, **fields: Any) -> None:
        # Older nodes require the first three fields.
        content = {"node": self._node, "jobs": [], "run": "", **fields}
        # What fails to go out now goes out the next time the worker is heard from.
        with contextlib.suppress(nats.errors.Error, OSError):
            await self._connection.client.publish(self._names.presence, json.dumps(content).encode())

    async def _on_message(self, message: Msg) -> None:
        content = json.loads(message.data)
        if content["node"] == self._node:
            return
        if content.get("holds") and message.reply:
            with contextlib.suppress(nats.errors.Error, OSError):
                await message.respond(epoch_holders.answer(self._held()))
        self._here.renew_leases(content["jobs"])
        if content["run"]:
            self._here.worker_connected(content["run"])
        workers, left = content.get("workers", ()), content.get("left", ())
        if workers or left:
            self._here.update_workers(map(_decode, workers), left)
        if content.get("ask"):
            self._here.request_workers()


def _batches(workers: Iterable[ConnectedWorker]) -> Iterator[list[str]]:
    """Encode the workers in batches, one per message."""
    batch: list[str] = []
    size = 0
    for worker in workers:
        batch.append(base64.b64encode(worker.SerializeToString()).decode())
        size += len(batch[-1])
        if size >= _WORKERS_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _decode(worker: str) -> ConnectedWorker:
    return ConnectedWorker.FromString(base64.b64decode(worker))
