"""The connection of a worker, over all of its sessions."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import uuid
from collections.abc import Awaitable, Callable

from milepost.client._transport.backoff import Backoff
from milepost.client._transport.channel import LazyChannel
from milepost.client._worker.job_table import JobTable
from milepost.client._worker.outage_log import Outage
from milepost.client._worker.session import Session
from milepost.client.errors import MilepostError, ServiceError

__all__ = ["Sessions"]


class Sessions:
    """One session after the other, until there is nothing left to say.

    Attributes:
        outage: What is logged while there is none.
    """

    def __init__(
        self,
        channel: LazyChannel,
        desk: JobTable,
        worker_id: str | None,
        timeout: float,
        *,
        instance: str | None = None,
    ) -> None:
        """Nothing is connected yet; the server has `timeout` seconds to welcome the worker.

        `worker_id` names this process; None for the host's name and the process id. `instance` names this run of it;
        None for a random one.
        """
        self._channel = channel
        self._desk = desk
        self._worker_id = worker_id or f"{socket.gethostname()[:100]}-{os.getpid()}"
        self._timeout = timeout
        self._instance = instance or str(uuid.uuid4())
        self.outage = Outage(channel.target.address)
        self._session: Session | None = None
        self._finishing = False
        self._ended = asyncio.Event()

    async def run(self, lost: Callable[[MilepostError, float], Awaitable[None]]) -> None:
        """Until `finish`.

        Args:
            lost: Called when a session was lost, with why, and with the seconds to wait before the next try. Waits for
                them, or raises where there is to be none.
        """
        backoff = Backoff()
        try:
            while True:
                session = Session(
                    *(self._channel, self._desk, self._worker_id, self._timeout, self._instance, self.outage)
                )
                if self._finishing:
                    session.finish()
                self._session = session
                try:
                    await session.run()
                except MilepostError as error:
                    if session.finishing:
                        return
                    self._session = None
                    if session.proved:
                        backoff.reset()
                    asked = error.retry_delay if isinstance(error, ServiceError) else None
                    await lost(error, backoff.next(asked or 0.0))
                else:
                    # What was given to it too late is not among the jobs that the next one says it has.
                    if not session.given_too_late:
                        return
        finally:
            self._ended.set()

    async def finish(self, seconds: float) -> None:
        """Ends it well where a session is open: what waits is sent, and the server then ends the stream.

        It has that many seconds for it. With its welcome it may still give a job, which would wait for its lease.
        """
        if self._session is not None:
            self._finishing = True
            self._session.finish()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._ended.wait()
