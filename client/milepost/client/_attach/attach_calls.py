"""Create the blocks of `Client.attach` and `Client.start` from their options."""

from __future__ import annotations

import math
import os
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final, Unpack

from milepost.client._arguments import build_request, check_names, check_seconds, check_text
from milepost.client._attach.attach_block import Attached
from milepost.client._attach.attachment import Attachment
from milepost.client._attach.block_session import BlockSession, OwnSession
from milepost.client._attach.claimed_job_table import BlockClaim, ClaimedJobTable
from milepost.client._attach.kept_session import KeptSession
from milepost.client._conversion import to_duration
from milepost.client._job_calls import JobCalls, submit_request
from milepost.client._options import AttachOptions, OnLost, OnUnreachable, SubmitOptions
from milepost.client._transport.channel import LazyChannel
from milepost.v1 import Claim, Dispatch, Hello, Job

__all__ = ["AttachCalls"]

# Seconds for the server to end the session of the block that this one replaces, unless the caller chooses.
_TAKEOVER_TIMEOUT: Final = 5.0


class AttachCalls:
    """The blocks of `Client.attach` and `Client.start`; `timeout` in seconds bounds each claim."""

    def __init__(self, channel: LazyChannel, calls: JobCalls, timeout: float) -> None:
        self._channel = channel
        self._calls = calls
        self._timeout = timeout

    def attach(self, job_id: str, **options: Unpack[AttachOptions]) -> Attached:
        """Claim a job that another engine runs, for a block of any code: a Celery task, a Hatchet step, a cron script.

        The job was submitted with the dispatch EXTERNAL. The block gets what a handler gets, and sets the result
        itself; the SDK keeps the lease alive across reconnects. An exception fails the job; leaving the block without
        one completes it::

            async with client.attach(job_id) as job:
                async with job.stage("pages", total=len(pages)) as stage:
                    for page in stage.track(pages):
                        await render(page)
                job.result = {"pages": len(pages)}

        When somebody cancels the job, the block of a `Client` gets `asyncio.CancelledError` where it next waits, as
        within `asyncio.timeout`; the block of a `SyncClient` checks for itself. After the block has ended the job is
        CANCELLED and `Cancelled` leaves the block. If other code cancels the block's task, the job fails with the code
        INTERRUPTED, which is retryable.

        Each block has its own session. At its end it waits, at most for the flush timeout, until the server has
        acknowledged all reports. The SDK writes the rest to the spool or, without one, drops them and logs that, and
        the job loses its lease; either way the block's own outcome stands.

        Args:
            job_id: The job.
            options: See `AttachOptions`.

        Raises:
            TypeError: A value is not of its option's type, or there is no such option.
            ValueError: A value is out of its bounds.

        Entering it raises:
            JobNotFound: There is no such job.
            JobEndedError: The job has ended.
            LeaseLost: Another process holds the job, and still held it after `wait`.
            InvalidField: The job is dispatched through the queue.
            LimitReached: The job's concurrency key is at its limit.
            Unreachable: The server did not answer within the client's timeout.
            OSError: The spool is not usable.

        Leaving it raises:
            Cancelled: The job was cancelled; an `asyncio.CancelledError`.
            LeaseLost: The lease expired while the server was unreachable. The block was interrupted.
            JobEndedError: The server ended the job, for example by a timeout. The block was interrupted.
            JobNotFound: The job was deleted meanwhile.
            Unauthenticated, PermissionDenied: The server no longer accepts the token, and there is no other one. The
                block was interrupted.
        """
        check_text(job_id=job_id)
        check_names(options, AttachOptions, "claiming a job")

        async def find() -> str:
            return job_id

        offline = Job(job_id=job_id) if _runs_offline(options) else None
        return Attached(self._attachment(find, None, offline, **options))

    def start(
        self,
        kind: str,
        input_values: Mapping[str, Any] | None,
        start_deadline: float | timedelta | None,
        attach_options: AttachOptions,
        submit_options: SubmitOptions,
    ) -> Attached:
        """Submit a job and claim it at once, for a block of code.

        The block behaves as in `attach`::

            async with client.start("nightly-backup", {"host": "db1"}, owner="ops") as job:
                ...

        If the claim fails, for example because the job's concurrency key is at its limit or the task is cancelled at
        that moment, the SDK cancels the job; unless it has a `request_id`, with which the caller can submit it again.

        Args:
            kind: Kind of the job.
            input_values: Input of the job: JSON values.
            start_deadline: Seconds after submission until an unclaimed job fails, for example because this process
                died in between; None for no limit.
            attach_options: See `AttachOptions`.
            submit_options: See `SubmitOptions`.

        Raises:
            TypeError: As for `submit` and `attach`.
            ValueError: As for these.

        Entering it raises what entering that of `attach` raises, and what `submit` does.
        """
        # A job with the caller's own request_id may stem from an earlier call, and the caller can submit it again.
        cancels = not submit_options.get("request_id")
        offline = None
        if _runs_offline(attach_options):
            # With its ids made here the submission is idempotent: the SDK repeats it until the server is back.
            submit_options["job_id"] = submit_options.get("job_id") or str(uuid.uuid4())
        request = submit_request(
            kind, input_values, Dispatch.DISPATCH_EXTERNAL, start_deadline, **submit_options
        )
        if _runs_offline(attach_options):
            offline = Job(job_id=request.job_id, kind=kind, labels=request.labels, input=request.input)

        async def submit() -> str:
            return (await self._calls.submit(request)).job_id

        async def cancel(job_id: str) -> None:
            await self._calls.cancel(job_id, "The block that it was made for was not entered.", None)

        return Attached(self._attachment(submit, cancel if cancels else None, offline, **attach_options))

    def attach_found(
        self,
        find: Callable[[], Awaitable[str]],
        offline: Job,
        kill: Callable[[], object] | None = None,
        kept: Callable[[], KeptSession] | None = None,
        **options: Unpack[AttachOptions],
    ) -> Attached:
        """The block of `attach` for a job that `find` looks up or submits, repeatedly until the server answers.

        Args:
            find: Returns the job_id. It is called again after a `MilepostError` that may pass.
            offline: What is known of the job without the server.
            kill: Ends a cancelled block that has not stopped when its grace period is nearly over. It is called in the
                loop, so it must not block.
            kept: Returns, in the loop, the session to use in place of one of its own.
            options: See `AttachOptions`.
        """
        offline_job = offline if _runs_offline(options) else None
        return Attached(self._attachment(find, None, offline_job, kill=kill, kept=kept, **options))

    def _attachment(
        self,
        find: Callable[[], Awaitable[str]],
        withdraw: Callable[[str], Awaitable[object]] | None,
        offline: Job | None,
        *,
        wait: float | timedelta | None = None,
        instance: str | None = None,
        on_unreachable: OnUnreachable = "raise",
        on_lost: OnLost = "raise",
        worker_id: str | None = None,
        flush_timeout: float = 10.0,
        spool: str | os.PathLike[str] | None = None,
        kill: Callable[[], object] | None = None,
        kept: Callable[[], KeptSession] | None = None,
    ) -> Attachment:
        waits = to_duration(wait or 0.0, "wait").ToTimedelta().total_seconds()
        if flush_timeout != math.inf:
            check_seconds(flush_timeout=flush_timeout)
        build_request(Claim, instance=instance)
        build_request(Hello, worker_id=worker_id)
        own = OwnSession(self._channel, worker_id, self._timeout, instance)
        return Attachment(
            self._channel,
            find,
            withdraw,
            session=own if kept is None else _PartOfKept(kept, instance or ""),
            timeout=self._timeout,
            flush_timeout=flush_timeout,
            spool=spool,
            wait=_TAKEOVER_TIMEOUT if instance and wait is None else waits,
            offline_job=offline,
            goes_on=_goes_on("on_lost", on_lost),
            kill=kill,
        )


class _PartOfKept:
    """Makes the part of one block in a session that is kept."""

    def __init__(self, kept: Callable[[], KeptSession], instance: str) -> None:
        self._kept = kept
        self._instance = instance

    async def open(self, claim: BlockClaim) -> tuple[ClaimedJobTable, BlockSession]:
        """See `OpenSession`."""
        return await self._kept().open(claim, self._instance)


def _runs_offline(options: AttachOptions) -> bool:
    return _goes_on("on_unreachable", options.get("on_unreachable", "raise"))


def _goes_on(option: str, value: str) -> bool:
    if value not in ("raise", "go on"):
        raise ValueError(f'There is no {option}={value!r}: use "raise" or "go on".')
    return value == "go on"
