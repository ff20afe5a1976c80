"""Context managers that claim a job, for asyncio and for plain code."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
from collections.abc import Coroutine
from copy import copy
from types import TracebackType

from milepost.client._attach.attached_job import AttachedJob
from milepost.client._attach.attachment import Attachment
from milepost.client._transport import after_fork
from milepost.client._transport.event_loop_thread import THREAD_OF_PARENT, EventLoopThread
from milepost.client._worker.current_job import CurrentJobBlock

__all__ = ["Attached", "SyncAttached"]

_logger = logging.getLogger("milepost.client")


class Attached:
    """An asynchronous context manager that claims a job for its block. See `Client.attach`.

    Attributes:
        attachment: The claimed job.
    """

    def __init__(self, attachment: Attachment) -> None:
        self.attachment = attachment
        self._current_job = CurrentJobBlock()
        self._task: asyncio.Task[object] | None = None
        # Cancellations of the task before the block, and whether this block has cancelled it since.
        self._cancelling = 0
        self._interrupted = self._is_left = False
        self._is_entered = self._is_inherited = False
        after_fork.register(self)

    def after_fork(self) -> None:
        """See `Inherited`: a block that was entered is the parent's to end."""
        self._is_inherited = self._is_entered

    async def __aenter__(self) -> AttachedJob:
        self._is_entered = True
        job = await self.attachment.claim(self._interrupt)
        self._current_job.enter(job)
        self._task = asyncio.current_task()
        assert self._task is not None
        self._cancelling = self._task.cancelling()
        if self.attachment.stop is not None:
            self._interrupt()
        return job

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._current_job.leave()
        if self._is_inherited:
            return
        self._is_left = True
        others = await self._uncancel()
        await self.attachment.end(error)
        if others:
            if error is None:
                raise asyncio.CancelledError
            return
        exception = self.attachment.exception_to_raise(error)
        if exception is not None:
            raise copy(
                exception
            ) from None  # the attachment has the other one, and this frame has the attachment

    def _interrupt(self) -> None:
        """Raise `asyncio.CancelledError` in the block at its next await."""
        if self._task is not None and not self._interrupted and not self._is_left:
            self._interrupted = True
            self._task.cancel()

    async def _uncancel(self) -> bool:
        """Revoke our own cancellation of the task, delivered or not; whether somebody else has cancelled it too."""
        if not self._interrupted or self._task is None:
            return False
        self._task.uncancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)  # which another one may come in, too
        return self._task.cancelling() > self._cancelling


class SyncAttached:
    """A plain context manager that claims a job for its block. See `SyncClient.attach`."""

    def __init__(self, attached: Attached, background: EventLoopThread) -> None:
        self._attachment = attached.attachment
        self._background = background
        self._current_job = CurrentJobBlock()
        self._claiming: asyncio.Task[object] | None = None
        self._undoing: asyncio.Task[None] | None = None
        self._is_entered = False
        after_fork.register(self)

    def after_fork(self) -> None:
        """See `Inherited`: a block that was entered is the parent's to end."""
        if self._is_entered:
            self._background = THREAD_OF_PARENT

    def __enter__(self) -> AttachedJob:
        self._is_entered = True
        try:
            job = self._background.run(self._claim())
            self._current_job.enter(job)
        except BaseException:
            # A signal may raise in any line, also when the job is claimed: without its block it would run for good, and
            # be the current job of whatever this thread does next. Of two signals that come at once, the second one
            # raises in the next call, so that is repeated.
            try:
                self._abandon()
            except BaseException:
                self._abandon()
                raise
            raise
        finally:
            self._claiming = None  # its error has frames that have this
        return job

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._current_job.leave()
            if self._background is THREAD_OF_PARENT:
                return
            self._background.run(self._attachment.end(error))
        except RuntimeError as closed:
            _logger.warning("the end of a job cannot be reported: %s", closed)
            return
        except BaseException:
            try:  # as above
                self._end(error)
            except BaseException:
                self._end(error)
                raise
            raise
        exception = self._attachment.exception_to_raise(error)
        if exception is not None:
            raise copy(
                exception
            ) from None  # the attachment has the other one, and this frame has the attachment

    async def _claim(self) -> AttachedJob:
        self._claiming = asyncio.current_task()
        return await self._attachment.claim()

    def _abandon(self) -> None:
        """Undo a claim, finished or not, and wait for that, unless the client is closed."""
        self._current_job.leave()
        with contextlib.suppress(RuntimeError, concurrent.futures.CancelledError):
            self._background.run_to_end(self._undo_once())

    def _end(self, error: BaseException | None) -> None:
        """Report the end of the block, unless that was done or begun, or the client is closed. Wait for nothing."""
        self._current_job.leave()
        with contextlib.suppress(RuntimeError):
            self._background.start(self._attachment.end(error))

    async def _undo_once(self) -> None:
        if self._undoing is None and self._claiming is not None:
            self._undoing = asyncio.create_task(self._undo(self._claiming))
        if self._undoing is not None:
            await asyncio.wait((self._undoing,))

    async def _undo(self, claiming: asyncio.Task[object]) -> None:
        """Undo a claim that has succeeded, though its caller was interrupted; one that is cancelled undoes itself."""
        if not claiming.cancelling():
            claiming.cancel()
        await asyncio.wait((claiming,))
        if not claiming.cancelled() and claiming.exception() is None:
            await self._attachment.abandon()

    @property
    def has_spool(self) -> bool:
        """Whether there is a directory for reports that the server has not acknowledged."""
        return bool(self._attachment.spool)

    async def record_end(self) -> None:
        """For the client's loop: wait, after `leave`, until the end is in the spool, or the server has it."""
        await self._attachment.record_end()

    def leave(
        self, error: BaseException | None, *, gives_back: bool = False
    ) -> Coroutine[None, None, BaseException | None]:
        """Leave the block at once; the coroutine, for the client's loop, reports that as `__exit__` does.

        Args:
            error: The exception that left the block, if any.
            gives_back: Whether the job does not end, but waits for its next claim, or, if it was cancelled, ends.

        Returns:
            The exception that `__exit__` would raise in place of `error`; None for none.
        """
        self._current_job.leave()

        async def end() -> BaseException | None:
            await (self._attachment.give_back() if gives_back else self._attachment.end(error))
            return self._attachment.exception_to_raise(error)

        return end()
