"""One session: a stream between a worker and a server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from typing import Final

from milepost.client._transport.channel import SDK, LazyChannel
from milepost.client._transport.error_mapping import error_from_status
from milepost.client._transport.fork_safety import grpc
from milepost.client._transport.token_source import CallCredential
from milepost.client._worker.outage_log import OutageLog
from milepost.client._worker.session_jobs import SessionJobs
from milepost.client.errors import ProtocolError, Unreachable
from milepost.v1 import ErrorReason, Heartbeat, Hello, Rejected, Welcome, WorkRequest, WorkResponse

__all__ = ["Session"]

_logger = logging.getLogger("milepost.client")

# Seconds between heartbeats, unless the server says otherwise.
_HEARTBEAT_INTERVAL: Final = 5.0
# Transient troubles of the store: the next session resends what was refused.
_TRANSIENT_REASONS: Final = frozenset(
    {
        ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
        ErrorReason.ERROR_REASON_STORE_FULL,
        ErrorReason.ERROR_REASON_DRAINING,
    }
)


class Session:
    """Sends the messages of the job table, and passes it those of the server.

    Attributes:
        was_useful: Whether it carried messages, so that the backoff before the next session starts over.
        finishing: Whether `finish` was called.
        assigned_too_late: Whether the server assigned a job after `finish`, when it could no longer be released.
    """

    def __init__(
        self,
        channel: LazyChannel,
        jobs: SessionJobs,
        worker_id: str,
        timeout: float,
        instance: str,
        outage: OutageLog,
        credential: CallCredential,
    ) -> None:
        """Connect nothing yet.

        Args:
            channel: The connection to the server.
            jobs: The jobs of the worker.
            worker_id: Identifies the process of the worker.
            timeout: Seconds for a token, and then until the server must have sent its welcome.
            instance: Identifies the run of the worker, the same in all of its sessions.
            outage: Logs the connection.
            credential: The token and certificate of the stream.
        """
        self.was_useful = self.finishing = self.assigned_too_late = False
        self._write_failed = False
        # Ids of jobs whose resumption the server has not answered, and why the session ends once it has.
        self._resuming: set[str] = set()
        self._ends_because: str | None = None
        self._sending_error: BaseException | None = None
        self._channel = channel
        self._address = channel.target.address
        self._jobs = jobs
        self._worker_id = worker_id
        self._timeout = timeout
        self._instance = instance
        self._outage = outage
        self._credential = credential

    async def run(self) -> None:
        """Run until the stream ends.

        Raises:
            MilepostError: The stream ended without `finish`.
            RuntimeError: The client was closed.
            Exception: What sending raised unexpectedly.
        """
        metadata = await self._credential.metadata(self._timeout)
        call = self._channel.track(self._channel.work().Work(metadata=metadata))
        tasks: list[asyncio.Task[None]] = []
        try:
            welcome = await self._open(call)
            for sending in (self._send(call), self._send_heartbeats(welcome)):
                tasks.append(asyncio.create_task(sending))
                tasks[-1].add_done_callback(partial(self._sending_ended, call))
            while isinstance(response := await call.read(), WorkResponse):
                self._receive(response)
                if self._ends_because is not None and not self._awaits_resumption():
                    raise Unreachable(self._address, self._ends_because)
            if not self.finishing:
                raise Unreachable(self._address, "it ended the session")
        except grpc.aio.AioRpcError as error:
            if self._write_failed and error.code() is grpc.StatusCode.INTERNAL:
                # To grpc.aio a write to a stream that the server has just ended is INTERNAL, which then replaces the
                # server's status for good. The next session shows that.
                raise Unreachable(self._address, "it ended the session") from error.with_traceback(None)
            raise error_from_status(error, self._address) from error.with_traceback(None)
        except asyncio.CancelledError:
            if self._sending_error is not None:
                raise self._sending_error from None
            self._channel.check_cancelled()
            raise
        finally:
            self._jobs.session_closed()
            for task in tasks:
                task.cancel()
            call.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # The traceback of an exception must not keep the call alive: a fork could not close the channel.
            del call, tasks

    def finish(self) -> None:
        """Close gracefully: send what is queued, then let the server end the stream."""
        self.finishing = True
        self._jobs.send_queue.close()

    async def _open(self, call: grpc.aio.StreamStreamCall[WorkRequest, WorkResponse]) -> Welcome:
        # A job that the server has assigned to this instance, and that is not among these, was lost on its way.
        job_ids = self._jobs.prepare_session()
        hello = Hello(
            worker_id=self._worker_id,
            kinds=self._jobs.kinds,
            max_concurrency=self._jobs.capacity,
            sdk=SDK,
            instance=self._instance,
            job_ids=job_ids,
        )
        try:
            async with asyncio.timeout(self._timeout):
                await self._write(call, WorkRequest(hello=hello))
                response = await call.read()
        except TimeoutError:
            raise Unreachable(self._address, f"no welcome within {self._timeout:g} s") from None
        if not isinstance(response, WorkResponse):
            raise Unreachable(self._address, "it ended the session")
        if not response.HasField("welcome"):
            raise ProtocolError("The session did not begin with welcome.")
        self._credential.accepted()
        self._outage.connected(self._worker_id)
        self._resuming.update(job_ids)
        self._jobs.session_opened()
        return response.welcome

    async def _send(self, call: grpc.aio.StreamStreamCall[WorkRequest, WorkResponse]) -> None:
        while (request := await self._jobs.send_queue.next()) is not None:
            if not await self._write(call, request):
                return
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await call.done_writing()

    def _sending_ended(
        self, call: grpc.aio.StreamStreamCall[WorkRequest, WorkResponse], sending: asyncio.Task[None]
    ) -> None:
        """End the session with an unexpected error: it would go on silently, until all leases have expired."""
        if not sending.cancelled() and (error := sending.exception()) is not None:
            self._sending_error = error
            call.cancel()

    async def _write(
        self, call: grpc.aio.StreamStreamCall[WorkRequest, WorkResponse], request: WorkRequest
    ) -> bool:
        """Write a request; return whether it was written. The reader raises the status of a stream that has ended."""
        try:
            await call.write(request)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            self._write_failed = True
            return False
        return True

    async def _send_heartbeats(self, welcome: Welcome) -> None:
        interval = welcome.heartbeat_interval.ToTimedelta().total_seconds() or _HEARTBEAT_INTERVAL
        while True:
            await asyncio.sleep(interval)
            self._jobs.send_queue.enqueue(WorkRequest(heartbeat=Heartbeat()))
            self.was_useful = True

    def _receive(self, response: WorkResponse) -> None:
        match response.WhichOneof("message"):
            case "acknowledged":
                self.was_useful = True
                self._jobs.acknowledged(response.acknowledged)
            case "assignment":
                self.was_useful = True
                self.assigned_too_late |= self.finishing
                self._jobs.start(response.assignment)
            case "cancel":
                if (attempt := self._jobs.find(response.cancel.job_id)) is not None:
                    attempt.cancel(response.cancel.cancellation)
            case "resumed":
                if (attempt := self._jobs.find(response.resumed.job_id)) is not None:
                    attempt.resumed(response.resumed)
                self._jobs.answered(response.resumed.job_id)
            case "rejected":
                self._rejected(response.rejected)
            case "drain":
                _logger.info("the server at %s is stopping", self._address)
            case _:
                pass  # a message of a newer server

    def _rejected(self, message: Rejected) -> None:
        self._resuming.discard(message.job_id)
        if message.reason in _TRANSIENT_REASONS:
            # The job is kept, and the next session resumes it. This one goes on until the server has answered for the
            # others: it may know those, and so renew their leases.
            self._ends_because = message.message
            return
        self._jobs.rejected(message)
        self._jobs.answered(message.job_id)

    def _awaits_resumption(self) -> bool:
        """Whether the server has yet to answer for an attempt that this session resumes, and that is not over."""
        found = map(self._jobs.find, self._resuming)
        return any(attempt is not None and not attempt.attached for attempt in found)
