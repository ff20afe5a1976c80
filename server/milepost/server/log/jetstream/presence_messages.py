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
from milepost.server.log.jetstream.peer_contact import Contact
from milepost.server.log.jetstream.stream import StreamNames, quorum_age
from milepost.server.log.node_presence import Heard, Presence
from milepost.v1 import ConnectedWorker

# How many ids go into one message, and how many bytes of workers, which is then far below what NATS takes.
_IDS_MOST: Final = 2000
_WORKERS_BYTES: Final = 512 << 10

# After how many intervals without proof contact is taken to be broken. With those of ``Core`` that is half of a lease:
# in the other half, a worker that is well is heard from once at least. But servers of NATS hear from each other only
# once a second, so that it is no less than this, in seconds.
_PATIENCE: Final = 10
_QUORUM_PATIENCE: Final = 1.5


class PresenceMessages:
    """Tells other nodes, and tells ``here`` what they say.

    Which jobs' workers were heard from is gathered for ``interval`` seconds, and then told at once. Who is connected is
    told as it changes, again every ``limits.WORKERS_INTERVAL``, and to a node that asks.
    """

    def __init__(self, link: NatsConnection, names: StreamNames, here: Presence, interval: float) -> None:
        self._link = link
        self._names = names
        self._here = here
        self._interval = interval
        self._heard: dict[str, None] = {}
        self._node = link.client.new_inbox()
        self._telling: list[asyncio.Task[None]] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._contact = Contact(max(_PATIENCE * interval, _QUORUM_PATIENCE), lambda: link.breaks)

    async def start(self) -> None:
        """From now on hears and tells."""
        await self._link.client.subscribe(self._names.renewals, cb=self._on_message)
        self._telling = [
            asyncio.create_task(self._tell()),
            asyncio.create_task(self._tell_workers()),
            asyncio.create_task(self._keep_contact()),
        ]

    def contact(self) -> Heard | None:
        """See ``Others``."""
        return self._contact.heard()

    def heard(self, job_ids: Iterable[str]) -> None:
        """See ``Presence``."""
        for job_id in job_ids:
            self._heard[job_id] = None

    def connected(self, instance: str) -> None:
        """See ``Presence``."""
        self._start(self._send(run=instance))

    def workers(self, connected: Iterable[ConnectedWorker], left: Iterable[str]) -> None:
        """See ``Presence``."""
        gone = list(left)
        for start in range(0, len(gone), _IDS_MOST):
            self._start(self._send(left=gone[start : start + _IDS_MOST]))
        for encoded in _portions(connected):
            self._start(self._send(workers=encoded))

    def ask(self) -> None:
        """See ``Presence``."""
        self._start(self._send(ask=True))

    async def close(self) -> None:
        """Tells no more."""
        for telling in self._telling:
            telling.cancel()
        await asyncio.gather(*self._telling, *self._sending, return_exceptions=True)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            heard, self._heard = list(self._heard), {}
            for start in range(0, len(heard), _IDS_MOST):
                await self._send(jobs=heard[start : start + _IDS_MOST])

    async def _keep_contact(self) -> None:
        while True:
            asked = self._contact.asks()
            with contextlib.suppress(ConnectionLost, nats.js.errors.APIError):
                self._contact.answered(asked, await quorum_age(self._link, self._names))
            await asyncio.sleep(self._interval)

    async def _tell_workers(self) -> None:
        while True:
            await asyncio.sleep(limits.WORKERS_INTERVAL)
            if self._link.up:  # a node that is cut off has heard nobody, and forgets nobody for it
                self._here.ask()

    def _start(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(sending)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, **said: Any) -> None:
        # Older nodes read the first three, and must find them.
        told = {"node": self._node, "jobs": [], "run": "", **said}
        # What cannot be told now is told the next time that the worker is heard from.
        with contextlib.suppress(nats.errors.Error, OSError):
            await self._link.client.publish(self._names.renewals, json.dumps(told).encode())

    async def _on_message(self, message: Msg) -> None:
        told = json.loads(message.data)
        if told["node"] == self._node:
            return
        self._here.heard(told["jobs"])
        if told["run"]:
            self._here.connected(told["run"])
        workers, left = told.get("workers", ()), told.get("left", ())
        if workers or left:
            self._here.workers(map(_decoded, workers), left)
        if told.get("ask"):
            self._here.ask()


def _portions(workers: Iterable[ConnectedWorker]) -> Iterator[list[str]]:
    """The workers, encoded, as many at a time as one message is to have."""
    portion: list[str] = []
    size = 0
    for worker in workers:
        portion.append(base64.b64encode(worker.SerializeToString()).decode())
        size += len(portion[-1])
        if size >= _WORKERS_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _decoded(worker: str) -> ConnectedWorker:
    return ConnectedWorker.FromString(base64.b64decode(worker))
