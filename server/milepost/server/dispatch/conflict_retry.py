"""Decide reports again, in order, after another node has appended to their job first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeAlias, TypeVar

from milepost.server.log.event_log import Conflict

_Outcome = TypeVar("_Outcome")

Decide: TypeAlias = Callable[[], Awaitable[tuple[_Outcome, asyncio.Future[None]]]]
"""Decide once more: return the outcome, and a future that raises Conflict where another node was first again."""


class DurableOutcome(Generic[_Outcome]):
    """The outcome of a decision once it is durable: ``future`` resolves to it."""

    __slots__ = ("_callback", "future")

    def __init__(self) -> None:
        self.future: asyncio.Future[_Outcome] = asyncio.get_running_loop().create_future()
        self._callback: Callable[[asyncio.Future[_Outcome]], None] | None = None

    def call_back(self, callback: Callable[[asyncio.Future[_Outcome]], None]) -> None:
        """Call the callback, the only one, as soon as the future is done.

        A callback of the future itself would be called a pass of the event loop later, which is work for each report.
        """
        if self.future.done():
            self.future.add_done_callback(callback)
        else:
            self._callback = callback

    def resolve(self, outcome: _Outcome) -> None:
        """It is durable."""
        if not self.future.done():  # it may have been cancelled
            self.future.set_result(outcome)
        self._done()

    def fail(self, error: BaseException) -> None:
        """It will not become durable."""
        if not self.future.done():
            self.future.set_exception(error)
        self._done()

    def _done(self) -> None:
        if self._callback is not None:
            self._callback(self.future)


class ConflictRetry(Generic[_Outcome]):
    """A queue of conflicting decisions for each job, retried one after the other."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[_Retry[_Outcome]]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def is_busy(self, job_id: str) -> bool:
        """Whether decisions of the job are being retried, so that new ones have to wait."""
        return job_id in self._running

    async def idle(self, job_id: str) -> None:
        """Return when no decisions of the job are left to retry."""
        while (running := self._running.get(job_id)) is not None:
            await asyncio.wait([running])

    def follow(
        self,
        job_id: str,
        outcome: _Outcome,
        appended: asyncio.Future[None],
        decide: Decide[_Outcome],
    ) -> DurableOutcome[_Outcome]:
        """Return the durable outcome: this one or, after a conflict, the one that ``decide`` returns.

        It fails with what ``decide`` raises, or with what kept the outcome from becoming durable.
        """
        durable: DurableOutcome[_Outcome] = DurableOutcome()

        def on_appended(_: asyncio.Future[None]) -> None:
            error = appended.exception()
            if error is None:
                durable.resolve(outcome)
            elif isinstance(error, Conflict):
                # Enqueue at once, so that no new decision about the job comes first.
                self._enqueue(job_id, _Retry(decide, durable))
            else:
                durable.fail(error)

        appended.add_done_callback(on_appended)
        return durable

    def _enqueue(self, job_id: str, retry: _Retry[_Outcome]) -> None:
        self._queues.setdefault(job_id, deque()).append(retry)
        if job_id not in self._running:
            self._running[job_id] = asyncio.create_task(self._run(job_id))

    async def _run(self, job_id: str) -> None:
        queue = self._queues[job_id]
        try:
            while queue:
                await queue.popleft().run()
        finally:
            del self._running[job_id], self._queues[job_id]


class _Retry(Generic[_Outcome]):
    """A decision that is retried until it meets no conflict."""

    def __init__(self, decide: Decide[_Outcome], durable: DurableOutcome[_Outcome]) -> None:
        self._decide = decide
        self._durable = durable

    async def run(self) -> None:
        while not self._durable.future.done():
            try:
                outcome, appended = await self._decide()
                await asyncio.shield(appended)
            except Conflict:
                continue
            except Exception as error:  # noqa: BLE001  # the future's reader gets it
                self._durable.fail(error)
            else:
                self._durable.resolve(outcome)
