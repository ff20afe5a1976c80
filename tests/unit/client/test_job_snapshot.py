"""JobSnapshot: the message, with plain values in place of structs."""

from __future__ import annotations

import copy
import inspect
import json
import re

import pytest

from milepost.client import JobContext, JobSnapshot, to_json
from milepost.client._worker.job_context import JobControl
from milepost.client._worker.reporter import Reporter
from milepost.client.errors import JobFailed
from milepost.v1 import Failure, Job, JobState
from tests.contract.samples import samples


@pytest.fixture
def message() -> Job:
    """A job with all fields."""
    sample = samples()["Job"]
    assert isinstance(sample, Job)
    sample.input.update({"n": 3, "deep": {"list": [1, 2.5, None, True, "x"]}})
    sample.result.update({"files": 2})
    return sample


def test_input_and_result_are_what_a_handler_has(message: Job, reporter: Reporter) -> None:
    """Plain dicts with whole numbers as ints, for `json.dumps`; labels, too."""
    job, in_handler = JobSnapshot(message), JobContext(JobControl(message, reporter))

    assert (job.input, job.labels) == (in_handler.input, in_handler.labels)
    assert [type(job.input), type(job.result), type(job.labels)] == [dict, dict, dict]
    assert json.loads(json.dumps(job.input)) == job.input
    assert [type(job.input["n"]), type(job.input["deep"]), type(job.input["deep"]["list"])] == [
        int,
        dict,
        list,
    ]
    assert (JobSnapshot(Job()).input, JobSnapshot(Job()).result) == ({}, {})


def test_everything_else_is_as_in_the_message(message: Job) -> None:
    """Each field has its name, also for type checkers and `dir`."""
    job = JobSnapshot(message)
    names = set(message.DESCRIPTOR.fields_by_name)

    for name in names - {"input", "result", "labels"}:
        assert getattr(job, name) == getattr(message, name)
    assert names <= set(dir(job))
    assert job.HasField("failure")
    assert to_json(job) == to_json(message)
    assert job.proto is message
    assert not hasattr(job, "statee")


def test_type_checkers_know_all_fields() -> None:
    """A new field of the contract must be added here."""
    annotated = re.findall(r"^        (\w+): ", inspect.getsource(JobSnapshot), re.MULTILINE)
    plain = ["input", "result", "labels"]

    assert sorted([*annotated, *plain]) == sorted([*Job.DESCRIPTOR.fields_by_name, "proto"])


def test_snapshots_are_immutable_values(message: Job) -> None:
    """Equal to the same snapshot and message, copied as a whole, and immutable."""
    job = JobSnapshot(message)
    other = Job()
    other.CopyFrom(message)

    assert job == JobSnapshot(other)
    assert job == other
    assert other == job
    assert job != JobSnapshot(Job(job_id="other"))
    assert job != "job"
    assert copy.deepcopy(job) == job
    assert len({job, JobSnapshot(other)}) == 1
    with pytest.raises(AttributeError, match="is immutable"):
        job.state = JobState.JOB_STATE_LOST


def test_the_state_of_a_snapshot_in_words() -> None:
    """So that a printed job says what it is, in one line, and nobody has to know the enum."""
    running = JobSnapshot(Job(job_id="j", kind="album", state=JobState.JOB_STATE_RUNNING))
    lost = JobSnapshot(Job(job_id="j", kind="album", state=JobState.JOB_STATE_LOST))

    assert [(job.state_name, job.has_ended) for job in (running, lost)] == [
        ("RUNNING", False),
        ("LOST", True),
    ]
    assert str(running) == "<JobSnapshot j album RUNNING>"


def test_the_job_of_an_error_is_one(message: Job) -> None:
    """The job in an error is a snapshot, too."""
    error = JobFailed(Job(input=message.input, failure=Failure(code="X", message="boo")))

    assert error.job.input == JobSnapshot(message).input
    assert error.failure.code == "X"
