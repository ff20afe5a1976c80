"""A job is encoded within a message as if it were in it."""

from __future__ import annotations

from google.protobuf.message import Message

from milepost.server.messages.job_encoding import JobResponse, encode_with
from milepost.v1 import (
    Assignment,
    Event,
    GetJobResponse,
    Job,
    JobSubmitted,
    Snapshot,
    Waiting,
    WatchJobsResponse,
    WorkResponse,
)


def _job() -> Job:
    job = Job(job_id="j", kind="k", labels={"a": "b"})
    job.input.update({"n": 1, "deep": {"list": [None, "x"]}})
    return job


def test_a_response_has_its_job_and_all_else() -> None:
    """At the top and further in, with fields before and after it."""
    job = _job()
    whole: list[Message] = [
        GetJobResponse(job=job, waiting=Waiting(workers=3)),
        WatchJobsResponse(snapshot=Snapshot(job=job, position=7)),
        WorkResponse(assignment=Assignment(job=job, lease_token="t")),
    ]
    encoded = [
        JobResponse(GetJobResponse(waiting=Waiting(workers=3)), job),
        JobResponse(WatchJobsResponse(snapshot=Snapshot(position=7)), job, ("snapshot", "job")),
        JobResponse(WorkResponse(assignment=Assignment(lease_token="t")), job, ("assignment", "job")),
    ]

    assert [
        type(message).FromString(it.encode()) for message, it in zip(whole, encoded, strict=True)
    ] == whole
    assert [len(it.encode()) for it in encoded] == [message.ByteSize() for message in whole]


def test_an_empty_message_is_there() -> None:
    """Its presence is something else than its absence."""
    event = Event(job_id="j", job_submitted=JobSubmitted(job=Job(job_id="j"), request_id="r"))
    encoded = encode_with(event, ("job_submitted", "job", "input"), b"")
    event.job_submitted.job.input.SetInParent()

    assert Event.FromString(encoded) == event
