"""Run of the demo: follow a job, cut the connection halfway, resume."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from milepost.client import Client
from milepost.client._cli.commands.follow import follow
from milepost.client._cli.demo.event_audit import EventAudit
from milepost.client._cli.demo.tcp_relay import TcpRelay
from milepost.client._cli.rendering.job_view import JobView
from milepost.client._cli.rendering.watched_job import WatchedJob
from milepost.client._cli.standard_streams import write_stderr
from milepost.contract.job_states import has_ended
from milepost.v1 import Event, Job, JobState

__all__ = ["ConnectionCut", "show"]

# Progress of the job at which the connection is cut.
_CUT_FRACTION: Final = 0.5
# Minimum seconds without a connection; it stays down until the job has new events.
_MIN_DOWNTIME: Final = 1.0
_POLL_INTERVAL: Final = 0.1
# A job may end before its connection is cut, if it is small or the machine is busy; then another one is submitted.
_ATTEMPT_LIMIT: Final = 10


class ConnectionCut:
    """Wrap a view, and cut the subscriber's connection at the relay halfway through the job.

    A direct connection beside the relay shows how far the log has advanced meanwhile.
    """

    def __init__(self, view: JobView, relay: TcpRelay, direct: Client) -> None:
        self._view = view
        self._relay = relay
        self._direct = direct
        self._received: list[Event] = []
        self._cut_at = 0
        self._resumed_at = 0
        self._head = 0
        self._task: asyncio.Task[None] | None = None

    def audit(self, log: Sequence[Event]) -> EventAudit:
        """Compare the events received with the ``log``."""
        # Counted from the subscriber's last event: later ones may already have been in transit when the cut happened.
        meanwhile = max(0, self._head - self._cut_at)
        return EventAudit(self._received, log, self._cut_at, self._resumed_at, meanwhile)

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

    def event(self, event: Event, watched: WatchedJob) -> None:
        """Record the event, and cut the connection once the job is halfway."""
        self._received.append(event)
        self._view.event(event, watched)
        if self._task is None and watched.job.fraction >= _CUT_FRACTION and not watched.ended:
            self._task = asyncio.create_task(self._interrupt(watched.job.job_id))

    def connection_changed(self, watched: WatchedJob) -> None:
        """Record where the connection was lost and where it resumed."""
        connection = watched.source.connection
        if self._task is not None:
            if connection.state == "reconnecting" and not self._cut_at:
                self._cut_at = watched.cursor
            elif connection.resumed_at is not None:
                self._resumed_at = connection.resumed_at
        self._view.connection_changed(watched)

    def waiting_changed(self, watched: WatchedJob) -> None:
        """Ignore the change: the demo's own worker is about to connect."""

    async def _interrupt(self, job_id: str) -> None:
        loop = asyncio.get_running_loop()
        self._relay.cut()
        down_since = loop.time()
        try:
            while True:
                job = await self._direct.get(job_id)
                self._head = job.last_sequence
                advanced = self._head > self._cut_at > 0 or has_ended(job)
                if advanced and loop.time() - down_since >= _MIN_DOWNTIME:
                    break
                await asyncio.sleep(_POLL_INTERVAL)
        finally:
            await self._relay.restore()


async def show(
    client: Client,
    direct: Client,
    relay: TcpRelay,
    content: Mapping[str, object],
    view: Callable[[], JobView],
    on_submitted: Callable[[str], None] = lambda job_id: None,
) -> tuple[Job, EventAudit]:
    """Submit an archive job with the input ``content`` and follow it through the relay, which is cut halfway.

    If the job ends before that, another one is submitted; ``on_submitted`` is called with the id of each. ``direct`` is
    connected without the relay.
    """
    attempts_left = _ATTEMPT_LIMIT
    while True:
        attempts_left -= 1
        interruption = ConnectionCut(view(), relay, direct)
        submitted = await direct.submit("archive", content)
        on_submitted(submitted.job_id)
        job = await follow(client, submitted.proto, interruption, hint=False)
        audit = interruption.audit([event async for event in direct.watch(job.job_id, follow=False)])
        if audit.cut_at or not attempts_left or job.state != JobState.JOB_STATE_SUCCEEDED:
            return job, audit
        write_stderr("\nThe job ended before its connection could be cut. Trying again:\n")
