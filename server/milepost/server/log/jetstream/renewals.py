"""Which workers were heard from, and which have come, told from node to node outside the log.

A lease lasts as long as its worker is heard from, by whichever node. That is nothing to be kept, so it travels as plain
messages of NATS. A node that was cut off has heard nothing, and so begins all leases anew when it is back (rule 14).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable, Sequence
from typing import Final

import nats.errors
from nats.aio.msg import Msg

from milepost.server.log.jetstream.link import Link
from milepost.server.log.jetstream.stream import StreamNames
from milepost.server.log.presence import Presence

# How many ids go into one message, which is then far below what NATS takes.
_IDS_MOST: Final = 2000


class Renewals:
    """Tells other nodes, and tells ``here`` what they say.

    Which jobs' workers were heard from is gathered for ``interval`` seconds, and then told at once.
    """

    def __init__(self, link: Link, names: StreamNames, here: Presence, interval: float) -> None:
        self._link = link
        self._names = names
        self._here = here
        self._interval = interval
        self._heard: dict[str, None] = {}
        self._node = link.client.new_inbox()
        self._telling: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """From now on hears and tells."""
        await self._link.client.subscribe(self._names.renewals, cb=self._on_message)
        self._telling = asyncio.create_task(self._tell())

    def heard(self, job_ids: Iterable[str]) -> None:
        """See ``Presence``."""
        for job_id in job_ids:
            self._heard[job_id] = None

    def connected(self, instance: str) -> None:
        """See ``Presence``."""
        sending = asyncio.create_task(self._send([], instance))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

    async def close(self) -> None:
        """Tells no more."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            heard, self._heard = list(self._heard), {}
            for start in range(0, len(heard), _IDS_MOST):
                await self._send(heard[start : start + _IDS_MOST])

    async def _send(self, job_ids: Sequence[str], instance: str = "") -> None:
        told = {"node": self._node, "jobs": job_ids, "run": instance}
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
