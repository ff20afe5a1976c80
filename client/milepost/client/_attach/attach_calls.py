"""The verbs for code that does the work of a job without being a worker's handler."""

from __future__ import annotations

import os
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Literal, TypeAlias, Unpack

from milepost.client._attach.attach_block import Attached
from milepost.client._attach.attachment import Attachment
from milepost.client._attach.submit_options import SubmitOptions
from milepost.client._calls import Calls
from milepost.client._conversion import to_duration, to_struct
from milepost.v1 import Dispatch, Job

__all__ = ["Attaching", "OnUnreachable"]

OnUnreachable: TypeAlias = Literal["raise", "go on"]
"""What a block does whose server cannot be reached when it is entered."""


class Attaching(Calls):
    """Claims jobs for blocks of code."""

    def attach(
        self,
        job_id: str,
        *,
        wait: float | timedelta | None = None,
        instance: str | None = None,
        on_unreachable: OnUnreachable = "raise",
        worker_id: str | None = None,
        flush_timeout: float = 10.0,
        spool: str | os.PathLike[str] | None = None,
    ) -> Attached:
        """Claims a job that another engine runs, for a block of any code: a Celery task, a Hatchet step, a cron script.

        The job is one that was submitted with the dispatch EXTERNAL. The block gets what a handler gets, and a place
        for its result; the lease is kept up, and survives a lost connection. An exception fails the job, a block that
        is left without one has succeeded::

            async with client.attach(job_id) as job:
                async with job.stage("pages", total=len(pages)) as stage:
                    for page in stage.track(pages):
                        await render(page)
                job.result = {"pages": len(pages)}

        When the job is to be cancelled, the block of a `Client` raises `asyncio.CancelledError` where it waits next, as
        within `asyncio.timeout`; that of a `SyncClient` looks for itself. Once it is left, the job is CANCELLED, and
        `Cancelled` comes out of it. If it is cancelled by others, the job FAILED with the code INTERRUPTED, which is
        retryable.

        Each block has a session of its own. At its end it waits until the server has taken what is left to tell, but
        not longer than the flush timeout. What was not taken then is written to the spool or, where there is none, lost
        with the lease of the job; that is logged, and the block's outcome stands.

        Args:
            job_id: The job.
            wait: How many seconds to wait while another has the job, until that attempt has ended or its lease is out,
                or while the job's concurrency key is at its limit; None to be refused at once.
            instance: Proves that this is the same work as an earlier block: any text that only that work knows, at most
                128 characters, such as the id of a Celery task, which a retry and a redelivered message keep. A job
                that an earlier block of the same instance still has is taken over at once; should that block still run,
                it hears `LeaseLost`. None: random, so that nobody takes over.
            on_unreachable: What to do where the server cannot be reached: ``"raise"``, or ``"go on"``: the block runs
                without it, which is logged once, with a job that has no more than its id. When the server is back
                before the block has ended, or within the flush timeout after it, the job is claimed and all that was
                reported is told; otherwise it is lost, and that is logged.
            worker_id: Names this process, at most 128 characters; None for the host's name and the process id.
            flush_timeout: How many seconds the server has, at the end of the block, to take what is left to tell.
            spool: A directory for what it did not take, which is told by the next block or worker that begins with it;
                from MILEPOST_SPOOL where it is not given.

        Entering it raises:
            JobNotFound: There is no such job.
            JobEndedError: It has ended.
            LeaseLost: Another has it, and had it until the wait was over.
            InvalidField: It goes through the queue.
            LimitReached: As many as may be of its concurrency key are at work.
            Unreachable: The server did not answer within the client's timeout.
            OSError: The spool cannot be used.

        Leaving it raises:
            Cancelled: The job was cancelled; it is an `asyncio.CancelledError`.
            LeaseLost: The lease ran out while the server could not be reached. The block was interrupted.
            JobEndedError: The job was ended by others, as by a timeout. The block was interrupted.
            JobNotFound: It was deleted meanwhile.
        """

        async def find() -> str:
            return job_id

        alone = Job(job_id=job_id) if _goes_on(on_unreachable) else None
        return Attached(
            self._attachment(
                find,
                None,
                worker_id=worker_id,
                flush_timeout=flush_timeout,
                spool=spool,
                wait=wait,
                instance=instance,
                alone=alone,
            )
        )

    def start(
        self,
        kind: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - the contract's own word
        *,
        start_deadline: float | timedelta | None = 60.0,
        wait: float | timedelta | None = None,
        instance: str | None = None,
        on_unreachable: OnUnreachable = "raise",
        worker_id: str | None = None,
        flush_timeout: float = 10.0,
        spool: str | os.PathLike[str] | None = None,
        **options: Unpack[SubmitOptions],
    ) -> Attached:
        """Submits a job and claims it at once, for a block of code.

        The block is as `attach` has it::

            async with client.start("nightly-backup", {"host": "db1"}, owner="ops") as job:
                ...

        Where it cannot be claimed, since its concurrency key is at its limit, say, or the task is cancelled in that
        moment, the job is cancelled; unless it has a `request_id`, with which it can be asked for again.

        Args:
            kind: What sort of work it is.
            input: What to work on, as JSON can say it.
            start_deadline: How many seconds after its submission it fails if it was not claimed, as when this process
                died in between; None for never.
            wait: As for `attach`.
            instance: As for `attach`.
            on_unreachable: As for `attach`; without the server the block has the kind and the input of the job.
            worker_id: As for `attach`.
            flush_timeout: As for `attach`.
            spool: As for `attach`.
            options: As for `submit`.

        Entering it raises what `submit` and `attach` do.
        """
        # What was made under a request_id of the caller's may be of an earlier call, and is asked for with it again.
        withdraws = not options.get("request_id")
        alone = None
        if _goes_on(on_unreachable):
            # The job has an id before the server has heard of it, and is made once, however often that is tried.
            options["job_id"] = options.get("job_id") or str(uuid.uuid4())
            options["request_id"] = options.get("request_id") or str(uuid.uuid4())
            alone = Job(job_id=options["job_id"], kind=kind, labels=options.get("labels"))
            if input is not None:
                alone.input.CopyFrom(to_struct(input, "input"))

        async def submit() -> str:
            job = await self.submit(
                kind, input, start_deadline=start_deadline, dispatch=Dispatch.DISPATCH_EXTERNAL, **options
            )
            return job.job_id

        async def cancel(job_id: str) -> None:
            await self.cancel(job_id, reason="The block that it was made for was not entered.")

        return Attached(
            self._attachment(
                submit,
                cancel if withdraws else None,
                worker_id=worker_id,
                flush_timeout=flush_timeout,
                spool=spool,
                wait=wait,
                instance=instance,
                alone=alone,
            )
        )

    def _attachment(
        self,
        find: Callable[[], Awaitable[str]],
        withdraw: Callable[[str], Awaitable[object]] | None,
        *,
        worker_id: str | None,
        flush_timeout: float,
        spool: str | os.PathLike[str] | None,
        wait: float | timedelta | None,
        instance: str | None,
        alone: Job | None,
    ) -> Attachment:
        return Attachment(
            self._channel,
            find,
            withdraw,
            worker_id=worker_id,
            timeout=self._timeout,
            flush_timeout=flush_timeout,
            spool=spool,
            wait=to_duration(wait or 0.0).ToTimedelta().total_seconds(),
            instance=instance,
            alone=alone,
        )


def _goes_on(on_unreachable: OnUnreachable) -> bool:
    if on_unreachable not in ("raise", "go on"):
        raise ValueError(f'There is no on_unreachable={on_unreachable!r}: use "raise" or "go on".')
    return on_unreachable == "go on"
