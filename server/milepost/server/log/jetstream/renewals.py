"""Which workers were heard from, told from node to node outside the log.

A lease lasts as long as its worker is heard from, by whichever node. That is nothing to be kept, so it travels as plain
messages of NATS. A node that was cut off has heard nothing, and so begins all leases anew when it is back (rule 14).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable
from typing import Final

import nats.errors
from nats.aio.msg import Msg

from milepost.server.log.jetstream.link import Link
from milepost.server.log.jetstream.stream import StreamNames

# How many ids go into one message, which is then far below what NATS takes.
_IDS_MOST: Final = 2000


class Renewals:
    """Tells other nodes, and hears from them. ``renew`` is called with the jobs of which a worker was heard.

    What is heard here is gathered for ``interval`` seconds, and then told at once.
    """

    def __init__(
        self, link: Link, names: StreamNames, renew: Callable[[Iterable[str]], None], interval: float
    ) -> None:
        self._link = link
        self._names = names
        self._renew = renew
        self._interval = interval
        self._heard: dict[str, None] = {}
        self._node = link.client.new_inbox()
        self._telling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """From now on hears and tells."""
        await self._link.client.subscribe(self._names.renewals, cb=self._on_message)
        self._telling = asyncio.create_task(self._tell())

    def heard(self, job_ids: Iterable[str]) -> None:
        """The workers of these jobs were heard from here."""
        for job_id in job_ids:
            self._heard[job_id] = None

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
                told = {"node": self._node, "jobs": heard[start : start + _IDS_MOST]}
                # What cannot be told now is told the next time that the worker is heard from.
                with contextlib.suppress(nats.errors.Error, OSError):
                    await self._link.client.publish(self._names.renewals, json.dumps(told).encode())

    async def _on_message(self, message: Msg) -> None:
        told = json.loads(message.data)
        if told["node"] != self._node:
            self._renew(told["jobs"])
