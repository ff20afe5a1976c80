"""The interruption: a view that cuts the connection halfway, and takes down what its subscriber sees."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from milepost.client import Client
from milepost.client._cli.demo.event_audit import Account
from milepost.client._cli.demo.tcp_relay import Relay
from milepost.client._cli.rendering.view import EventView
from milepost.client._cli.rendering.watched_job import Watched
from milepost.contract.job_states import has_ended
from milepost.v1 import Event

__all__ = ["Interruption"]

_HALFWAY = 0.5
_DOWN_FOR = 1.0
"""Seconds at the least; and until the job has moved on."""
_LOOK_EVERY = 0.1


class Interruption:
    """A view around another one. Halfway through the job it cuts the relay that the subscriber is connected through.

    How far the log has got meanwhile it looks up on a connection of its own.
    """

    def __init__(self, view: EventView, relay: Relay, direct: Client) -> None:
        self._view = view
        self._relay = relay
        self._direct = direct
        self._seen: list[Event] = []
        self._cut_at = 0
        self._resumed_at = 0
        self._head = 0
        self._task: asyncio.Task[None] | None = None

    def account(self, log: Sequence[Event]) -> Account:
        """What the subscriber saw, beside the ``log`` as it is."""
        # Counted from what the subscriber had: what had happened by then may already have been on its way to it.
        meanwhile = max(0, self._head - self._cut_at)
        return Account(self._seen, log, self._cut_at, self._resumed_at, meanwhile)

    async def __aenter__(self) -> Self:
        await self._view.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            if error is not None:
                self._task.cancel()
            await asyncio.wait((self._task,))
        await self._view.__aexit__(kind, error, traceback)
        if self._task is not None and not self._task.cancelled():
            failure = self._task.exception()
            if failure is not None and error is None:
                raise failure

    def event(self, event: Event, watched: Watched) -> None:
        """Takes the event down, and cuts once the job is halfway."""
        self._seen.append(event)
        self._view.event(event, watched)
        if self._task is None and watched.job.fraction >= _HALFWAY and not watched.ended:
            self._task = asyncio.create_task(self._interrupt(watched.job.job_id))

    def link(self, watched: Watched) -> None:
        """Takes down where the connection was lost, and where it came back."""
        link = watched.source.connection
        if self._task is not None:
            if link.state == "reconnecting" and not self._cut_at:
                self._cut_at = watched.cursor
            elif link.resumed_at is not None:
                self._resumed_at = link.resumed_at
        self._view.link(watched)

    def waiting(self, watched: Watched) -> None:
        """Shows nothing: the demo's own worker is on its way."""

    async def _interrupt(self, job_id: str) -> None:
        loop = asyncio.get_running_loop()
        self._relay.cut()
        down_since = loop.time()
        try:
            while True:
                job = await self._direct.get(job_id)
                self._head = job.last_sequence
                moved_on = self._head > self._cut_at > 0 or has_ended(job)
                if moved_on and loop.time() - down_since >= _DOWN_FOR:
                    break
                await asyncio.sleep(_LOOK_EVERY)
        finally:
            await self._relay.restore()
