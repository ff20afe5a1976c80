"""The reconnect loop of a worker: one session after another."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import Awaitable, Callable

from milepost.client._transport.backoff import Backoff
from milepost.client._transport.channel import LazyChannel
from milepost.client._worker.outage_log import OutageLog
from milepost.client._worker.session import Session
from milepost.client._worker.session_jobs import SessionJobs
from milepost.client.errors import MilepostError, ServiceError, TokenUnavailable

__all__ = ["SessionLoop"]

_logger = logging.getLogger("milepost.client")


class SessionLoop:
    """Opens sessions until the worker finishes.

    Attributes:
        outage: Logs the connection.
    """

    def __init__(
        self,
        channel: LazyChannel,
        jobs: SessionJobs,
        worker_id: str | None,
        timeout: float,
        *,
        instance: str | None = None,
    ) -> None:
        """Connect nothing yet.

        Args:
            channel: The connection to the server.
            jobs: The jobs of the worker.
            worker_id: Identifies this process; None for the host name and the process id.
            timeout: Seconds until the server must have sent its welcome.
            instance: Identifies this run of the worker; None for a random id.
        """
        self._channel = channel
        self._jobs = jobs
        self._worker_id = worker_id or f"{socket.gethostname()[:100]}-{os.getpid()}"
        self._timeout = timeout
        self._instance = instance or str(uuid.uuid4())
        self.outage = OutageLog(channel.target.address)
        self._credential = channel.credential()
        self._session: Session | None = None
        self._finishing = False
        self._ended = asyncio.Event()

    async def run(self, wait_to_retry: Callable[[MilepostError, float], Awaitable[None]]) -> None:
        """Run until `finish`.

        Args:
            wait_to_retry: Called when a session was lost, with the error and the seconds of backoff. Waits before the
                next session, or raises to give up.
        """
        backoff = Backoff()
        try:
            while True:
                session = Session(
                    self._channel,
                    self._jobs,
                    self._worker_id,
                    self._timeout,
                    self._instance,
                    self.outage,
                    self._credential,
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
                    if session.was_useful:
                        backoff.reset()
                    await self._prepare_next(error, backoff, wait_to_retry)
                else:
                    # The next session makes the server release a job that was assigned too late, by not listing it.
                    if not session.assigned_too_late:
                        return
        finally:
            self._ended.set()

    async def _prepare_next(
        self,
        error: MilepostError,
        backoff: Backoff,
        wait_to_retry: Callable[[MilepostError, float], Awaitable[None]],
    ) -> None:
        """Ask for another credential if the server refused this; else wait as after any lost session, or give up."""
        try:
            if await self._credential.renew(error, self._timeout):
                _logger.info("asking for another credential and connecting again: %s", error)
                delay = backoff.next_delay()
                self._credential.delayed(delay)
                await asyncio.sleep(delay)
                return
        except TokenUnavailable as unavailable:
            error = unavailable.with_traceback(None)  # that has this frame
        error = self._credential.first_of(error)
        requested = error.retry_delay if isinstance(error, ServiceError) else None
        await wait_to_retry(error, backoff.next_delay(requested or 0.0))

    async def finish(self, timeout: float) -> None:
        """Close an open session gracefully within `timeout` seconds: send what is queued, then let the server end it.

        Without this, a job that the server assigns with its welcome would be blocked until its lease expires.
        """
        if self._session is not None:
            self._finishing = True
            self._session.finish()
            ended = asyncio.create_task(self._ended.wait())
            try:
                # Not asyncio.wait_for: that of Python 3.11 drops a cancellation that comes just after the end.
                await asyncio.wait((ended,), timeout=timeout)
            finally:
                ended.cancel()

    def close(self) -> None:
        """Take no further part; `run`, if it was called, has ended."""
