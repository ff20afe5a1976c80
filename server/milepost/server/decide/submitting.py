"""Create a job, and start an attempt at it."""

from __future__ import annotations

from milepost.contract.job_states import has_ended
from milepost.fold import planned
from milepost.server.base.refusal import Refusal, job_ended, job_held
from milepost.server.decide.next_event import next_event
from milepost.server.messages.timestamps import timestamp
from milepost.server.scheduling.sliced_comparing import are_equal
from milepost.server.scheduling.steps import Steps
from milepost.v1 import Dispatch, ErrorReason, Event, Job, JobState, SubmitJobRequest


def submit(
    request: SubmitJobRequest, job_id: str, now: int, submitted_by: str = "", input_size: int = 0
) -> Event:
    """The first event of a job, of the subject ``submitted_by``, but for the job's input. The request is validated.

    The input, of ``input_size`` bytes, never changes and may be large: the request has it, and ``EventBatch`` encodes
    the event with it.
    """
    event = next_event(Job(job_id=job_id), now)
    event.job_submitted.request_id = request.request_id
    job = event.job_submitted.job
    job.job_id = job_id
    job.kind = request.kind
    job.owner = request.owner
    job.labels.update(request.labels)
    job.parent_job_id = request.parent_job_id
    job.state = JobState.JOB_STATE_QUEUED
    job.stages.extend(planned(stage) for stage in request.stages)
    if submitted_by:
        job.submitted_by = submitted_by
        job.input_size = input_size
    if request.HasField("retry_policy"):
        job.retry_policy.CopyFrom(request.retry_policy)
    if request.HasField("retention"):
        job.retention.CopyFrom(request.retention)
    if request.HasField("timeout"):
        job.timeout.CopyFrom(request.timeout)
    if request.HasField("attempt_timeout"):
        job.attempt_timeout.CopyFrom(request.attempt_timeout)
    if request.HasField("start_deadline"):
        job.start_deadline.CopyFrom(request.start_deadline)
    job.priority = request.priority
    job.concurrency_key = request.concurrency_key
    job.concurrency_limit = request.concurrency_limit or (1 if request.concurrency_key else 0)
    job.planned_children = request.planned_children
    job.workload = request.workload
    job.workload_unit = request.workload_unit
    job.dispatch = request.dispatch or Dispatch.DISPATCH_QUEUE
    job.submit_time.CopyFrom(timestamp(now))
    return event


def same_submission(first: Event, request: SubmitJobRequest, owner: str) -> Steps[bool]:
    """Whether ``first``, the first event of a job, came from ``request``: the same request_id and the same content.

    ``owner`` is the job's, if it is the same: that of the request, unless the server has set that since.
    It takes the input out of the event, which is compared by itself: in slices, since it may be large.
    """
    accepted = first.job_submitted
    if request.request_id != accepted.request_id or not request.request_id:
        return False
    if request.HasField("input") != accepted.job.HasField("input"):
        return False
    if not (yield from are_equal(request.input, accepted.job.input)):
        return False
    again = submit(request, request.job_id or first.job_id, 0).job_submitted.job
    again.owner = owner
    again.submit_time.CopyFrom(accepted.job.submit_time)
    # The same submission by another principal of the owner is the same one.
    again.submitted_by, again.input_size = accepted.job.submitted_by, accepted.job.input_size
    accepted.job.ClearField("input")
    for stage, given in zip(accepted.job.stages, request.stages, strict=False):
        if not given.HasField("weight"):  # what there is was learned
            stage.ClearField("weight")
    return again == accepted.job


def start(job: Job, worker_id: str, now: int, *, instance: str = "", claimed: bool = False) -> Event:
    """Start the job's next attempt, at the worker process ``instance``.

    Raises JOB_ENDED, LEASE_LOST where another worker holds the job, or INVALID_FIELD where a job is claimed that goes
    through the queue.
    """
    if has_ended(job):
        raise job_ended(job)
    if claimed and job.dispatch != Dispatch.DISPATCH_EXTERNAL:
        raise Refusal(
            ErrorReason.ERROR_REASON_INVALID_FIELD,
            f"Job {job.job_id!r} goes through the queue. Submit it with the dispatch EXTERNAL to claim it.",
            metadata={"field": "job_id"},
        )
    if job.state != JobState.JOB_STATE_QUEUED:
        raise job_held(job)
    event = next_event(job, now)
    event.attempt = job.attempt + 1
    event.job_started.worker_id = worker_id
    event.job_started.instance = instance
    return event
