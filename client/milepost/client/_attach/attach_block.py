"""The blocks in which a job is claimed, for code with asyncio and without."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from types import TracebackType

from milepost.client._attach.attached_job import AttachedJob
from milepost.client._attach.attachment import Attachment
from milepost.client._transport.event_loop_thread import EventLoopThread
from milepost.client._worker.current_job import at_hand

__all__ = ["Attached", "SyncAttached"]

_log = logging.getLogger("milepost.client")


class Attached:
    """An asynchronous context manager: the job is claimed while it is entered. See `Client.attach`.

    Attributes:
        attachment: What holds the job; for `SyncAttached`.
    """

    def __init__(self, attachment: Attachment) -> None:
        self.attachment = attachment
        self._at_hand = contextlib.ExitStack()
        self._task: asyncio.Task[object] | None = None
        # How often the task was asked to stop by others before the block, and whether it was by us since.
        self._cancelling = 0
        self._interrupted = False

    async def __aenter__(self) -> AttachedJob:
        job = await self.attachment.claim()
        self._at_hand.enter_context(at_hand(job))
        self._task = asyncio.current_task()
        assert self._task is not None
        self._cancelling = self._task.cancelling()
        self.attachment.on_stop = self._interrupt
        if self.attachment.stop is not None:
            self._interrupt()
        return job

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _put_away(self._at_hand)
        self.attachment.on_stop = lambda: None
        others = await self._absorb()
        await self.attachment.end(error)
        if others:
            if error is None:
                raise asyncio.CancelledError
            return
        leaving = self.attachment.leaves(error)
        if leaving is not None:
            raise leaving from None

    def _interrupt(self) -> None:
        """Has the block raise `asyncio.CancelledError` at its next await."""
        if self._task is not None and not self._interrupted:
            self._interrupted = True
            self._task.cancel()

    async def _absorb(self) -> bool:
        """Takes back our own request to stop, also where it has not been delivered yet. Whether there is another's."""
        if not self._interrupted or self._task is None:
            return False
        others = self._task.uncancel() > self._cancelling
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        return others


class SyncAttached:
    """A plain context manager: the job is claimed while it is entered. See `SyncClient.attach`."""

    def __init__(self, attached: Attached, background: EventLoopThread) -> None:
        self._attachment = attached.attachment
        self._background = background
        self._at_hand = contextlib.ExitStack()

    def __enter__(self) -> AttachedJob:
        job = self._background.run(self._attachment.claim())
        self._at_hand.enter_context(at_hand(job))
        return job

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _put_away(self._at_hand)
        try:
            self._background.run(self._attachment.end(error))
        except RuntimeError as closed:
            _log.warning("the end of a job cannot be told: %s", closed)
            return
        leaving = self._attachment.leaves(error)
        if leaving is not None:
            raise leaving from None


def _put_away(at_hand_before: contextlib.ExitStack) -> None:
    with contextlib.suppress(ValueError):  # the block is left in another context than it was entered in
        at_hand_before.close()
