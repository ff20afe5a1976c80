"""Options of calls by their names."""

from __future__ import annotations

import math
import uuid
from typing import Any

import pytest

from milepost.client import Client, JobSnapshot, Worker
from milepost.client._job_calls import job_filter
from milepost.v1 import Job, JobState

_CONDITIONS = "job_ids, kinds, labels, owner, parent_job_id, states"
_WATCH_OPTIONS = (
    "after, epoch, follow, latest, latest_progress, on_state, on_waiting, payloads, stages, status_interval"
)
_ATTACH_OPTIONS = "flush_timeout, instance, on_lost, on_unreachable, spool, wait, worker_id"


@pytest.mark.parametrize("method", ["list", "watch_jobs"])
async def test_an_unknown_condition_is_an_error(method: str) -> None:
    """The error names the ones that there are."""
    async with Client("127.0.0.1:1") as client:
        with pytest.raises(TypeError) as raised:
            getattr(client, method)(parent="a")
    assert str(raised.value) == f"There is no option 'parent' for filtering jobs: use {_CONDITIONS}."


async def test_an_unknown_submit_option_is_an_error() -> None:
    """The error names the ones that there are, here as well."""
    async with Client("127.0.0.1:1") as client:
        wrong: dict[str, Any] = {"parent": "a"}
        with pytest.raises(TypeError, match=r"no option .parent. for submitting a job: use .*parent_job_id"):
            await client.submit("kind", **wrong)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"labels": {"room": 3}}, "labels is {'room': 3}, and takes a mapping from text to text."),
        ({"labels": ["room"]}, "labels is ['room'], and takes a mapping from text to text."),
        ({"parent_job_id": 7}, "parent_job_id is 7, and takes text."),
        ({"priority": "high"}, "priority is 'high', and takes a whole number."),
        (
            {"dispatch": "external"},
            "dispatch is 'external', and takes a Dispatch, such as Dispatch.DISPATCH_EXTERNAL.",
        ),
        ({"retry_policy": 3}, "retry_policy is 3, and takes a RetryPolicy."),
        ({"timeout": "5m"}, "timeout is '5m', and takes seconds or a timedelta."),
        ({"attempt_timeout": math.nan}, "attempt_timeout cannot be nan s."),
    ],
)
async def test_a_wrong_value_of_a_submit_option_is_named(given: dict[str, Any], error: str) -> None:
    """With what the option takes: protobuf's own errors name no field."""
    async with Client("127.0.0.1:1") as client:
        with pytest.raises((TypeError, ValueError)) as raised:
            await client.submit("kind", **given)
    assert str(raised.value) == error


@pytest.mark.parametrize(
    ("method", "given", "error"),
    [
        ("watch", {"job_id": "j", "after": "3"}, "after is '3', and takes a whole number."),
        ("watch", {"job_id": 3}, "job_id is 3, and takes text."),
        ("watch", {"job_id": "j", "epoch": 3}, "epoch is 3, and takes text."),
        ("watch_jobs", {"after": 3.5}, "after is 3.5, and takes a whole number."),
        (
            "watch_jobs",
            {"status_interval": "3"},
            "status_interval is '3', and takes seconds or a timedelta.",
        ),
        ("follow", {"job_id": 3}, "job_id is 3, and takes text."),
    ],
)
async def test_a_wrong_value_of_a_watch_option_is_named(
    method: str, given: dict[str, Any], error: str
) -> None:
    """Where the watch is made, not where its items are asked for."""
    async with Client("127.0.0.1:1") as client:
        with pytest.raises(TypeError) as raised:
            getattr(client, method)(**given)
    assert str(raised.value) == error


@pytest.mark.parametrize("name", ["kinds", "job_ids", "states"])
@pytest.mark.parametrize("method", ["list", "watch_jobs"])
async def test_one_text_is_no_list(method: str, name: str) -> None:
    """It was a list of its letters, which no job matches."""
    async with Client("127.0.0.1:1") as client:
        with pytest.raises(TypeError) as raised:
            getattr(client, method)(**{name: "failed"})
    assert str(raised.value) == f"{name} is the text 'failed', and takes a list: ['failed']."


def test_states_by_name() -> None:
    """As the command has them, or as the contract; the error names them all."""
    assert list(job_filter(states=["failed", "JOB_STATE_LOST", JobState.JOB_STATE_QUEUED]).states) == [
        JobState.JOB_STATE_FAILED,
        JobState.JOB_STATE_LOST,
        JobState.JOB_STATE_QUEUED,
    ]
    names = "queued, running, cancelling, succeeded, failed, cancelled, lost"
    with pytest.raises(ValueError, match=f"There is no state 'faild': use {names}."):
        job_filter(states=["faild"])


async def test_a_job_is_named_by_its_id() -> None:
    """A snapshot in place of its job_id is an error that says so."""
    snapshot: Any = JobSnapshot(Job(job_id="j"))
    async with Client("127.0.0.1:1") as client:
        for call in (client.get, client.cancel, client.delete, client.share):
            with pytest.raises(TypeError, match=r"^job_id is <JobSnapshot j .*>, and takes text\.$"):
                await call(snapshot)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (
            {"job_id": uuid.UUID(int=1)},
            "job_id is UUID('00000000-0000-0000-0000-000000000001'), and takes text.",
        ),
        ({"instance": 7}, "instance is 7, and takes text."),
        ({"worker_id": 7}, "worker_id is 7, and takes text."),
        ({"wait": "1m"}, "wait is '1m', and takes seconds or a timedelta."),
        ({"flush_timeout": "5"}, "flush_timeout is '5', and takes a number of seconds."),
        ({"flush_timeout": -1}, "flush_timeout is -1, and takes a number of seconds of at least 0."),
        ({"on_error": "go on"}, f"There is no option 'on_error' for claiming a job: use {_ATTACH_OPTIONS}."),
    ],
)
async def test_a_wrong_value_of_a_block_is_named(given: dict[str, Any], error: str) -> None:
    """At once: the server seemed to be unreachable, or the end of the block got lost."""
    async with Client("127.0.0.1:1") as client:
        with pytest.raises((TypeError, ValueError)) as raised:
            client.attach(**{"job_id": "j", **given})
    assert str(raised.value) == error


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"payloads": "job_ended"}, "payloads is the text 'job_ended', and takes a list: ['job_ended']."),
        ({"payloads": [1, "job_ended"]}, "payloads is [1, 'job_ended'], and takes a list, each text."),
        ({"stages": "scan"}, "stages is the text 'scan', and takes a list: ['scan']."),
        ({"on_gap": "skip"}, 'There is no on_gap=\'skip\': use "raise" or "snapshot".'),
        ({"on_end": print}, f"There is no option 'on_end' for watching a job: use {_WATCH_OPTIONS}."),
    ],
)
async def test_a_wrong_value_of_a_watch_is_named(given: dict[str, Any], error: str) -> None:
    """When the watch is made. Another `on_gap` than the two was taken for the first."""
    async with Client("127.0.0.1:1") as client:
        with pytest.raises((TypeError, ValueError)) as raised:
            client.watch("j", **given)
    assert str(raised.value) == error


@pytest.mark.parametrize(
    ("made", "given", "error"),
    [
        (Client, {"address": 7}, "The address is HOST:PORT, such as 127.0.0.1:7070, and not 7."),
        (Client, {"token": 7}, "token is of type int, and takes text or a callable."),
        (Client, {"timeout": "5"}, "timeout is '5', and takes a number of seconds."),
        (Worker, {"timeout": -1}, "timeout is -1, and takes a number of seconds of at least 0."),
        (Worker, {"drain_timeout": "5"}, "drain_timeout is '5', and takes a number of seconds."),
        (Worker, {"max_concurrency": "4"}, "max_concurrency is '4', and takes a whole number."),
        (Worker, {"worker_id": 7}, "worker_id is 7, and takes text."),
    ],
)
def test_a_wrong_value_of_a_client_or_worker_is_named(made: Any, given: dict[str, Any], error: str) -> None:
    """When it is made, and not with its first call."""
    with pytest.raises((TypeError, ValueError)) as raised:
        made(**given)
    assert str(raised.value) == error


def test_a_worker_may_wait_for_its_jobs_without_a_limit() -> None:
    """Its drain timeout may be infinite."""
    assert Worker(drain_timeout=math.inf)._settings.drain_timeout == math.inf


def test_what_is_no_handler_is_refused() -> None:
    """Each of its jobs would fail."""
    worker: Any = Worker()
    with pytest.raises(TypeError, match="kind is 7, and takes text"):
        worker.job(7)
    with pytest.raises(TypeError, match="A handler is a function, and not 7"):
        worker.job("k")(7)
