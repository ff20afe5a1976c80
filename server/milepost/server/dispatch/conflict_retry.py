"""Reports that were decided upon a job that another node had gone on with: decided again, in their order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from milepost.server.log.event_log import Conflict


class Decided(Protocol):
    """Something that was decided; ``durable`` is done when it is."""

    @property
    def durable(self) -> asyncio.Future[None]:
        """Raises Conflict where it was decided upon what is not so any more."""


_Decided = TypeVar("_Decided", bound=Decided)


class ConflictRetry(Generic[_Decided]):
    """What is being decided again, for each job one after the other."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[_Again[_Decided]]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def is_busy(self, job_id: str) -> bool:
        """Whether there is something of the job that comes before anything new."""
        return job_id in self._running

    async def idle(self, job_id: str) -> None:
        """Returns when there is nothing of the job left."""
        while (running := self._running.get(job_id)) is not None:
            await asyncio.wait([running])

    def follow(
        self, job_id: str, decided: _Decided, decide: Callable[[], Awaitable[_Decided]]
    ) -> asyncio.Future[_Decided]:
        """What has become durable in the end: what was decided or, after a conflict, what ``decide`` then comes to.

        Raises as that does, or what kept it from becoming durable.
        """
        again = _Again(decide)

        def on_durable(durable: asyncio.Future[None]) -> None:
            error = durable.exception()
            if isinstance(error, Conflict):
                # At once, so that nothing new of the job is decided before.
                self._put(job_id, again)
            else:
                again.settle(decided, error)

        decided.durable.add_done_callback(on_durable)
        return again.settled

    def _put(self, job_id: str, again: _Again[_Decided]) -> None:
        self._queues.setdefault(job_id, deque()).append(again)
        if job_id not in self._running:
            self._running[job_id] = asyncio.create_task(self._run(job_id))

    async def _run(self, job_id: str) -> None:
        queue = self._queues[job_id]
        try:
            while queue:
                await queue.popleft().run()
        finally:
            del self._running[job_id], self._queues[job_id]


class _Again(Generic[_Decided]):
    """One report that may have to be decided again."""

    def __init__(self, decide: Callable[[], Awaitable[_Decided]]) -> None:
        self._decide = decide
        self.settled: asyncio.Future[_Decided] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        while not self.settled.done():
            try:
                decided = await self._decide()
                await asyncio.shield(decided.durable)
            except Conflict:
                continue
            except Exception as error:  # noqa: BLE001  # whoever waits is told
                self.settle(None, error)
            else:
                self.settle(decided, None)

    def settle(self, decided: _Decided | None, error: BaseException | None) -> None:
        if self.settled.done():
            return
        if decided is None or error is not None:
            self.settled.set_exception(error or Conflict())
        else:
            self.settled.set_result(decided)
