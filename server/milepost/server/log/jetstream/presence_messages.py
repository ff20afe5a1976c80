"""Which workers are connected, and which were heard from, told from node to node outside the log.

A lease lasts as long as its worker is heard from, by whichever node. That is nothing to be kept, so it travels as plain
messages of NATS, which a node that is cut off does not hear. Whether it is cut off, a node knows only from asking the
stream, as often as it tells the others (rule 14).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any, Final

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg

from milepost.contract import limits
from milepost.server.log.jetstream.nats_access import ConnectionLost
from milepost.server.log.jetstream.nats_connection import NatsConnection
from milepost.server.log.jetstream.peer_contact import PeerContact
from milepost.server.log.jetstream.stream import StreamNames, quorum_age
from milepost.server.log.node_presence import ContactPeriod, Presence
from milepost.v1 import ConnectedWorker

# How many ids go into one message, and how many bytes of workers, which is then far below what NATS takes.
_IDS_PER_MESSAGE: Final = 2000
_WORKERS_BYTES: Final = 512 << 10

# After how many intervals without proof contact is taken to be broken. With those of ``Core`` that is half of a lease:
# in the other half, a worker that is well is heard from once at least. But servers of NATS hear from each other only
# once a second, so that it is no less than this, in seconds.
_CONTACT_TIMEOUT_INTERVALS: Final = 10
_CONTACT_TIMEOUT_MIN: Final = 1.5


class PresenceMessages:
    """Tells other nodes, and tells ``here`` what they say.

    Which jobs' workers were heard from is gathered for ``interval`` seconds, and then told at once. Who is connected is
    told as it changes, again every ``limits.WORKERS_INTERVAL``, and to a node that asks.
    """

    def __init__(
        self, connection: NatsConnection, names: StreamNames, here: Presence, interval: float
    ) -> None:
        self._connection = connection
        self._names = names
        self._here = here
        self._interval = interval
        self._heard_jobs: dict[str, None] = {}
        self._node = connection.client.new_inbox()
        self._publishing: list[asyncio.Task[None]] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._contact = PeerContact(
            max(_CONTACT_TIMEOUT_INTERVALS * interval, _CONTACT_TIMEOUT_MIN), lambda: connection.breaks
        )

    async def start(self) -> None:
        """From now on hears and tells."""
        await self._connection.client.subscribe(self._names.presence, cb=self._on_message)
        self._publishing = [
            asyncio.create_task(self._publish_heard_jobs()),
            asyncio.create_task(self._publish_workers()),
            asyncio.create_task(self._keep_contact()),
        ]

    def contact(self) -> ContactPeriod | None:
        """See ``Others``."""
        return self._contact.period()

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
        """Tells no more."""
        for publishing in self._publishing:
            publishing.cancel()
        await asyncio.gather(*self._publishing, *self._sending, return_exceptions=True)

    async def _publish_heard_jobs(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            heard, self._heard_jobs = list(self._heard_jobs), {}
            for start in range(0, len(heard), _IDS_PER_MESSAGE):
                await self._send(jobs=heard[start : start + _IDS_PER_MESSAGE])

    async def _keep_contact(self) -> None:
        while True:
            asked = self._contact.begin_question()
            with contextlib.suppress(ConnectionLost, nats.js.errors.APIError):
                self._contact.on_answer(asked, await quorum_age(self._connection, self._names))
            await asyncio.sleep(self._interval)

    async def _publish_workers(self) -> None:
        while True:
            await asyncio.sleep(limits.WORKERS_INTERVAL)
            if self._connection.up:  # a node that is cut off has heard nobody, and forgets nobody for it
                self._here.request_workers()

    def _start(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(sending)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, **fields: Any) -> None:
        # Older nodes read the first three, and must find them.
        content = {"node": self._node, "jobs": [], "run": "", **fields}
        # What cannot be told now is told the next time that the worker is heard from.
        with contextlib.suppress(nats.errors.Error, OSError):
            await self._connection.client.publish(self._names.presence, json.dumps(content).encode())

    async def _on_message(self, message: Msg) -> None:
        content = json.loads(message.data)
        if content["node"] == self._node:
            return
        self._here.renew_leases(content["jobs"])
        if content["run"]:
            self._here.worker_connected(content["run"])
        workers, left = content.get("workers", ()), content.get("left", ())
        if workers or left:
            self._here.update_workers(map(_decode, workers), left)
        if content.get("ask"):
            self._here.request_workers()


def _batches(workers: Iterable[ConnectedWorker]) -> Iterator[list[str]]:
    """The workers, encoded, as many at a time as one message is to have."""
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
