"""Accept jobs: each submission once, however often it is sent."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Awaitable, Callable
from functools import partial

from milepost.contract.job_states import has_ended
from milepost.server import decide
from milepost.server.access.limits.limiter import Limiter
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.base.clock import Clock
from milepost.server.base.refusal import Refusal, job_ended
from milepost.server.journal import Journal
from milepost.server.log.event_log import EventLog
from milepost.server.log.log_errors import Conflict
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.sliced_decoding import SLICED_FROM, decode_in_slices
from milepost.server.scheduling.slices import Slices
from milepost.v1 import ErrorReason, Event, Events, Job, JobState, SubmitJobRequest


async def _leave_weights(job: Job) -> None:
    """Learn nothing."""


class Submissions:
    """Create jobs from requests. ``admit`` is called before each new one, and may raise a Refusal.

    ``limiter`` counts the jobs of each principal; ``slices`` runs long work; ``weigh`` sets the weights of stages that
    the request leaves open.
    """

    def __init__(
        self,
        log: EventLog,
        journal: Journal,
        clock: Clock,
        admit: Callable[[SubmitJobRequest], None] = lambda _: None,
        limiter: Limiter | None = None,
        slices: Slices | None = None,
        weigh: Callable[[Job], Awaitable[None]] = _leave_weights,
    ) -> None:
        self._slices = Slices() if slices is None else slices
        self._limiter = Limiter() if limiter is None else limiter
        self._log = log
        self._journal = journal
        self._clock = clock
        self._admit = admit
        self._weigh = weigh
        self._submitting: dict[tuple[str, str], asyncio.Task[Job]] = {}

    async def submit(
        self,
        request: SubmitJobRequest,
        caller: str = SERVER,
        submitter: Principal = ANONYMOUS,
        *,
        inherits_owner: bool = False,
    ) -> Job:
        """Create a job, or find the one that the same request created; durable on return.

        The request has been validated; the log is read in the turns of ``caller``. Where it ``inherits_owner``, its
        owner was set to that of the parent. Raises JOB_ALREADY_EXISTS;
        JOB_NOT_FOUND and JOB_ENDED for the parent; what ``admit`` does; LIMIT_REACHED where the submitter has too many.
        """
        if not request.request_id:
            return await self._submit(request, caller, submitter, inherits_owner=False)
        # A repeated request waits for the first one, whose caller may be gone, and gets its outcome. Decided by itself
        # it might be refused, because the parent has ended in between.
        key = request.owner, request.request_id
        while (before := self._submitting.get(key)) is not None:
            await asyncio.wait([before])
        submitting = self._submitting[key] = asyncio.create_task(
            self._submit(request, caller, submitter, inherits_owner=inherits_owner)
        )
        submitting.add_done_callback(partial(self._on_submitted, key))
        return await asyncio.shield(submitting)

    def _on_submitted(self, key: tuple[str, str], submitted: asyncio.Task[Job]) -> None:
        del self._submitting[key]
        if not submitted.cancelled():
            submitted.exception()  # retrieved, so that asyncio does not log it where the caller is gone

    async def _submit(
        self, request: SubmitJobRequest, caller: str, submitter: Principal, *, inherits_owner: bool
    ) -> Job:
        if inherits_owner and submitter.owns(""):
            ownerless = await self._find_ownerless(request, caller)
            if ownerless is not None:
                return ownerless
        known = await self._find_id(request, caller)
        if known is not None:
            try:
                return await self._existing(known, request, caller)
            except Refusal:
                # Another node may have deleted that job, and then even have done what is asked.
                await self._log.catch_up(known)
                known = await self._find_id(request, caller)
                if known is not None:
                    return await self._existing(known, request, caller)
        if request.parent_job_id:
            await self._check_parent(request.parent_job_id, caller)
        if request.job_id:
            await self._check_children(request, caller)
        self._admit(request)
        now = self._clock.now()
        job_id = request.job_id or _uuid7(now)
        given = request.input.SerializeToString() if request.HasField("input") else None
        input_size = len(given or b"")
        submission = decide.submit(request, job_id, now, submitter.author, input_size)
        if request.stages:
            await self._weigh(submission.job_submitted.job)
        try:
            with self._limiter.submitting(submitter, job_id, input_size):
                await self._journal.create(submission, given)
        except Conflict:  # a concurrent request has created it
            return await self._existing(await self._find_id(request, caller) or job_id, request, caller)
        return await self._journal.find(job_id, caller=caller)

    async def _find_ownerless(self, request: SubmitJobRequest, caller: str) -> Job | None:
        """Return the child that the request created before decision 0078, when such a child had no owner."""
        job_id = await self._log.find_request("", request.request_id, caller=caller)
        if job_id is None or request.job_id not in ("", job_id):
            return None
        if not await self._is_same(job_id, request, "", caller):
            return None
        job = await self._journal.find(job_id, caller=caller)
        # Others without an owner have request_ids of their own choice, and a trimmed log tells no more than the id.
        is_child = (job.parent_job_id, job.kind) == (request.parent_job_id, request.kind)
        return job if is_child else None

    async def _find_id(self, request: SubmitJobRequest, caller: str) -> str | None:
        if request.request_id:
            known = await self._log.find_request(request.owner, request.request_id, caller=caller)
            if known is not None:
                return known
        if request.job_id and await self._log.load(request.job_id, caller=caller) is not None:
            return request.job_id
        return None

    async def _existing(self, job_id: str, request: SubmitJobRequest, caller: str) -> Job:
        """Return the existing job, if the same request created it. Raises JOB_ALREADY_EXISTS otherwise."""
        if await self._is_same(job_id, request, request.owner, caller):
            return await self._journal.find(job_id, caller=caller)
        if request.request_id:
            problem = (
                f"Job {job_id!r} was submitted before, with another request_id or other content than this."
            )
        else:
            problem = f"There is a job {job_id!r} already. (With a request_id a submission may be repeated.)"
        raise Refusal(
            ErrorReason.ERROR_REASON_JOB_ALREADY_EXISTS,
            f"{problem} Use another id, or get that job.",
            metadata={"job_id": job_id},
        )

    async def _is_same(self, job_id: str, request: SubmitJobRequest, owner: str, caller: str) -> bool:
        """Whether the job, of this owner, came from the same request."""
        page = await self._log.read(job_id, 0, 0, caller=caller, short=True)
        if page is None:
            return False
        if page.first > 1:
            # The submission event is deleted, but the log still has the request_id.
            return await self._log.find_request(owner, request.request_id, caller=caller) == job_id
        if not page.chunks:
            return False
        first = await self._first_event(page.chunks[0].first_events(1).frames, caller)
        return await self._slices.run(decide.same_submission(first, request, owner), caller)

    async def _first_event(self, frames: bytes, caller: str) -> Event:
        """Decode the first event of a job, whose input may be large."""
        if len(frames) < SLICED_FROM:
            return Events.FromString(frames).events[0]
        events = await self._slices.run(decode_in_slices(Events, frames), caller)
        assert isinstance(events, Events)
        return events.events[0]

    async def _check_parent(self, parent_id: str, caller: str) -> None:
        parent = await self._journal.find(parent_id, caller=caller)
        if has_ended(parent) or parent.state == JobState.JOB_STATE_CANCELLING:
            raise job_ended(parent)

    async def _check_children(self, request: SubmitJobRequest, caller: str) -> None:
        """Raise JOB_ALREADY_EXISTS where jobs of other owners are children of an earlier job with the id.

        They would become children of this one, and be cancelled with it.
        """
        if await self._log.has_children_of_others(request.job_id, request.owner, caller=caller):
            raise Refusal(
                ErrorReason.ERROR_REASON_JOB_ALREADY_EXISTS,
                f"The id {request.job_id!r} is taken: the job is deleted, and children of it exist that have another "
                "owner. Use another id.",
                metadata={"job_id": request.job_id},
            )


def _uuid7(now: int) -> str:
    """A time-ordered UUID (RFC 9562, section 5.7) of the instant."""
    milliseconds = now // 10**6
    value = milliseconds << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value & (1 << 128) - 1))
