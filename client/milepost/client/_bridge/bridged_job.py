"""One job whose messages come from a channel: claimed, reported on, and ended as they say."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from milepost.client._attach import AttachedJob
from milepost.client._attach.attachment import Attachment
from milepost.client._bridge.job_writer import JobWriter
from milepost.client._bridge.mapped_message import MappedMessage
from milepost.client._bridge.message_mapping import JobRules
from milepost.client._worker.cancel_signal import Cancelled
from milepost.client._worker.timed_wait import completes
from milepost.client.errors import (
    InvalidField,
    JobAlreadyExists,
    JobEndedError,
    JobFailure,
    JobNotFound,
    LeaseLost,
    MilepostError,
)
from milepost.contract.limits import GRACE_PERIOD

__all__ = ["DETACH_TIMEOUT", "PENDING_MESSAGES", "BridgedJob"]

_logger = logging.getLogger("milepost.client")

PENDING_MESSAGES: Final = 1_000
"""Messages that are kept of a job until it is claimed; further ones are dropped."""
DETACH_TIMEOUT: Final = 3.0
"""Seconds for the server to acknowledge what was reported, when the bridge stops."""

_NOT_ASKED: Final = "The work may go on: its application could not be asked to stop."

# Errors of a claim that a later claim would meet again.
_FINAL_ERRORS: Final = (JobEndedError, JobNotFound, JobAlreadyExists, LeaseLost, InvalidField, Cancelled)


class BridgedJob:
    """A job of the bridge, from its first message to its end.

    Attributes:
        pending_size: Bytes of the messages that wait until the job is claimed.
        dropped: Messages that were dropped, wholly or but for their progress.
    """

    def __init__(
        self,
        external_id: str,
        attachment: Attachment,
        job_rules: JobRules,
        *,
        cancel: Callable[[], Awaitable[object]],
        ask_to_stop: Callable[[], Awaitable[bool]],
    ) -> None:
        """Claim nothing yet.

        Args:
            external_id: What the application calls the job.
            attachment: Claims it.
            job_rules: What holds for all jobs of the bridge.
            cancel: Cancels the job at the server, after its application has cancelled it.
            ask_to_stop: Asks the application to stop the job; whether it can be asked.
        """
        self.pending_size = 0
        self.dropped = 0
        self._external_id = external_id
        self._attachment = attachment
        self._rules = job_rules
        self._cancel = cancel
        self._ask_to_stop = ask_to_stop
        self._job: AttachedJob | None = None
        self._writer: JobWriter | None = None
        self._pending: deque[tuple[MappedMessage, int]] = deque()
        self._notices: list[str] = []
        self._stop_requested = asyncio.Event()
        self._stopping: asyncio.Future[None] | None = None
        # Resolves to the last message, or to the error that ends the job, or to None to leave the job as it is.
        self._over: asyncio.Future[MappedMessage | BaseException | None] = (
            asyncio.get_running_loop().create_future()
        )

    @property
    def size(self) -> int:
        """Bytes that wait to be sent."""
        return self.pending_size + (self._job._control.reporter.size if self._job is not None else 0)

    def receive(self, message: MappedMessage, size: int, *, congested: bool) -> bool:
        """Report a message of `size` bytes; if `congested`, only what replaces what waits already, and the end.

        False if the job has ended before.
        """
        if self._over.done():
            return False
        if self._writer is None:
            if (congested or len(self._pending) >= PENDING_MESSAGES) and not message.end:
                self.dropped += 1
                return True
            self._pending.append((message, size))
            self.pending_size += size
            return True
        self._write(message, congested=congested)
        return True

    def note(self, text: str) -> None:
        """Write a warning to the log of the job."""
        if self._job is None:
            self._notices = [*self._notices[-9:], text]
        elif not self._over.done():
            self._job.log(text, severity="warning")

    def end(self, error: BaseException) -> None:
        """End the job although its application has not reported the end."""
        self._finish(error)

    def leave(self) -> None:
        """Leave the job as it is, for the next bridge."""
        self._finish(None)

    async def run(self) -> bool:
        """Claim the job, and report on it until its end; whether it is over, and not just refused for now."""
        try:
            return await self._run()
        finally:
            if self._stopping is not None:
                self._stopping.cancel()  # the job is over, or the next bridge asks

    async def _run(self) -> bool:
        try:
            self._job = await self._attachment.claim(self._stopped)
        except (MilepostError, Cancelled, OSError) as error:
            _logger.warning("job %s is not reported: %s", self._external_id, str(error) or "it was cancelled")
            if isinstance(error, Cancelled):
                await self._stop()
            return isinstance(error, _FINAL_ERRORS)
        if self._attachment.stop is not None:
            self._stopped()
        try:
            self._drain(self._job)
            over = await self._over
            left_with = None if over is None else await self._error_of(over, self._job)
        except Exception:
            # Nobody else has the attachment, which renews the lease of its job for as long as the bridge runs.
            await self._attachment.detach(DETACH_TIMEOUT)
            raise
        if over is None:
            await self._attachment.detach(DETACH_TIMEOUT)
            return True
        if self.dropped:
            self._job.log(
                f"{self.dropped} messages were dropped: too much waited to be sent.", severity="warning"
            )
        await self._attachment.end(left_with)
        refusal = self._attachment.exception_to_raise(None)
        if refusal is not None and not isinstance(refusal, Cancelled):
            _logger.warning("job %s: its end was not accepted: %s", self._external_id, refusal)
        return True

    def _drain(self, job: AttachedJob) -> None:
        """Report what has arrived until the job was claimed."""
        for text in self._notices:
            job.log(text, severity="warning")
        while self._pending:
            message, size = self._pending.popleft()
            self.pending_size -= size
            self._write(message, congested=False)

    def _write(self, message: MappedMessage, *, congested: bool) -> None:
        assert self._job is not None
        if self._writer is None:
            has_fraction = self._rules.has_fraction
            self._writer = JobWriter(
                self._job,
                sequential=self._rules.sequential,
                has_fraction=message.fraction is not None if has_fraction is None else has_fraction,
            )
        if congested and (message.log or message.event):
            self.dropped += 1
        self._writer.write(message, essential=congested)
        if message.end:
            self._finish(message)

    def _finish(self, how: MappedMessage | BaseException | None) -> None:
        if not self._over.done():
            self._over.set_result(how)

    async def _error_of(self, over: MappedMessage | BaseException, job: AttachedJob) -> BaseException | None:
        """The exception to leave the block with; None for a job that succeeded."""
        if isinstance(over, BaseException):
            return over
        if over.end == "succeeded":
            job.result = over.result
            return None
        if over.end == "failed":
            return JobFailure(over.code or "FAILED", over.failure or "Its application gave no reason.")
        if self._attachment.stop is None:
            try:
                await self._cancel()
            except MilepostError as error:
                return JobFailure(
                    "CANCELLED", f"Its application cancelled it. (Not as a cancellation: {error})"
                )
            # The job ends CANCELLED only once this attempt was asked to stop.
            await completes(self._stop_requested.wait(), GRACE_PERIOD)
        return asyncio.CancelledError()

    def _stopped(self) -> None:
        """The job was cancelled, or the bridge no longer holds it."""
        self._stop_requested.set()
        if self._over.done():
            return
        if isinstance(self._attachment.stop, Cancelled):
            # Once, though it is called during the claim and after that.
            self._stopping = self._stopping or asyncio.ensure_future(self._stop())
        else:
            _logger.warning("job %s is no longer reported: %s", self._external_id, self._attachment.stop)
            self._finish(asyncio.CancelledError())

    async def _stop(self) -> None:
        """Ask the application to stop, and give it the grace period to say how the job ended."""
        asking = asyncio.ensure_future(self._ask_to_stop())
        try:
            async with asyncio.timeout(GRACE_PERIOD):
                if await asking:
                    await asyncio.wait((self._over,))
                else:
                    self.note(
                        "The work may go on: the bridge has no message that asks its application to stop."
                    )
        except TimeoutError:
            if asking.cancelled():
                self.note(_NOT_ASKED)
        except Exception:  # such as of a message that is not JSON: the job is over all the same
            _logger.warning("job %s: asking its application to stop failed", self._external_id, exc_info=True)
            self.note(_NOT_ASKED)
        self._finish(asyncio.CancelledError())
