"""Decide reports again, in order, after another node has appended to their job first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeAlias, TypeVar

from milepost.server.log.log_errors import Conflict
from milepost.server.scheduling.prompt_future import PromptFuture

_Outcome = TypeVar("_Outcome")

Decide: TypeAlias = Callable[[], Awaitable[tuple[_Outcome, PromptFuture[None]]]]
"""Decide once more: return the outcome, and a future that raises Conflict where another node was first again."""


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

    def durable_outcome(
        self,
        job_id: str,
        outcome: _Outcome,
        appended: PromptFuture[None],
        decide: Decide[_Outcome],
    ) -> PromptFuture[_Outcome]:
        """Return the durable outcome: this one or, after a conflict, the one that ``decide`` returns.

        It fails with what ``decide`` raises, or with what kept the outcome from becoming durable.
        """
        durable: PromptFuture[_Outcome] = PromptFuture()

        def on_appended(_: PromptFuture[None]) -> None:
            if durable.done():  # it may have been cancelled
                return
            if appended.cancelled():
                durable.cancel()
                return
            error = appended.exception()
            if error is None:
                durable.set_result(outcome)
            elif isinstance(error, Conflict):
                # Enqueue at once, so that no new decision about the job comes first.
                self._enqueue(job_id, _Retry(decide, durable))
            else:
                durable.set_exception(error)

        appended.call_back(on_appended)
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
            # Left where this was cancelled, as the loop is closed: nobody is to wait for ever.
            for retry in queue:
                retry.cancel()
            del self._running[job_id], self._queues[job_id]


class _Retry(Generic[_Outcome]):
    """A decision that is retried until it meets no conflict."""

    def __init__(self, decide: Decide[_Outcome], durable: PromptFuture[_Outcome]) -> None:
        self._decide = decide
        self._durable = durable

    async def run(self) -> None:
        while not self._durable.done():
            try:
                outcome, appended = await self._decide()
                await asyncio.shield(appended)
            except Conflict:
                continue
            except asyncio.CancelledError:
                self.cancel()
                task = asyncio.current_task()
                if task is not None and task.cancelling():  # else it was the decision, and the others go on
                    raise
            except Exception as error:  # noqa: BLE001  # the future's reader gets it
                if not self._durable.done():  # it may have been cancelled
                    self._durable.set_exception(error)
            else:
                if not self._durable.done():
                    self._durable.set_result(outcome)

    def cancel(self) -> None:
        """Have whoever waits for the outcome wait no longer."""
        self._durable.cancel()
