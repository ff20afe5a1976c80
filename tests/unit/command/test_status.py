"""Exit statuses and error messages."""

from __future__ import annotations

import json

import click
import grpc
import pytest

from milepost.client import errors
from milepost.client._cli.commands.exit_status import MEANINGS, ExitStatus, show_usage_error
from milepost.client._cli.commands.outcome import (
    CommandFailed,
    TimedOut,
    as_command_error,
    explain,
    of_error,
    of_job,
)
from milepost.v1 import ErrorReason, Failure, Job, JobState


def job(state: JobState.ValueType, code: str = "") -> Job:
    """A job in a state."""
    return Job(job_id="j", state=state, failure=Failure(code=code) if code else None)


@pytest.mark.parametrize(
    ("expected", "ended"),
    [
        (0, job(JobState.JOB_STATE_SUCCEEDED)),
        (1, job(JobState.JOB_STATE_FAILED, "NO_PATH")),
        (124, job(JobState.JOB_STATE_FAILED, "TIMEOUT")),
        (124, job(JobState.JOB_STATE_FAILED, "ATTEMPT_TIMEOUT")),
        (124, job(JobState.JOB_STATE_FAILED, "START_DEADLINE")),
        (3, job(JobState.JOB_STATE_CANCELLED)),
        (6, job(JobState.JOB_STATE_LOST, "WORKER_LOST")),
        (0, job(JobState.JOB_STATE_RUNNING)),
        (0, job(JobState.JOB_STATE_QUEUED, "TIMEOUT")),
    ],
)
def test_a_command_that_follows_a_job_has_its_status(expected: int, ended: Job) -> None:
    """The documented table; a job that is still running is no failure of the command."""
    assert of_job(ended) == expected


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        (4, errors.JobNotFound()),
        (5, errors.Unreachable("h:1")),
        (5, errors.Draining()),
        (5, errors.StoreUnavailable()),
        (5, errors.StoreFull()),
        (5, errors.LimitReached()),
        (2, errors.InvalidField()),
        (2, errors.TooLarge()),
        (2, errors.JobAlreadyExists()),
        (2, errors.JobEndedError()),
        (2, errors.SequenceTrimmed()),
        (2, errors.SequenceAhead()),
        (2, errors.EpochChanged()),
        (2, errors.Unauthenticated(code=grpc.StatusCode.UNAUTHENTICATED)),
        (2, errors.PermissionDenied(code=grpc.StatusCode.PERMISSION_DENIED)),
        (2, errors.Unimplemented(code=grpc.StatusCode.UNIMPLEMENTED)),
        (70, errors.ServiceError(code=grpc.StatusCode.INTERNAL)),
        (70, errors.ProtocolError()),
        (1, errors.JobFailed(job(JobState.JOB_STATE_FAILED, "X"))),
        (3, errors.JobCancelled(job(JobState.JOB_STATE_CANCELLED))),
        (6, errors.JobLost(job(JobState.JOB_STATE_LOST))),
        (124, TimedOut()),
        (1, CommandFailed()),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_an_error_has_a_status(expected: int, error: errors.MilepostError) -> None:
    """Errors have distinct statuses: not found, unreachable, refused."""
    # Errors that are made of a status know its code; those of a reason have it by that.
    if isinstance(error, errors.ServiceError) and error.code == grpc.StatusCode.UNKNOWN:
        error.code = grpc.StatusCode.FAILED_PRECONDITION

    assert of_error(error) == expected


def test_every_exit_status_is_documented() -> None:
    """The table that `--help` prints is complete."""
    assert set(ExitStatus) == set(MEANINGS)


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        (
            "kind: does not match",
            errors.InvalidField("Bad.", violations=(("kind", "does not match"),)),
        ),
        (
            "a: is 1; b: is 2",
            errors.TooLarge("Bad.", violations=(("a", "is 1"), ("b", "is 2"))),
        ),
        (
            "The events after 5 are not kept any more, the oldest is 11: continue with --after 10.",
            errors.SequenceTrimmed(metadata={"requested": "5", "first": "11", "head": "20"}),
        ),
        (
            "There is no event 99 yet: the newest one is 20.",
            errors.SequenceAhead(metadata={"requested": "99", "first": "1", "head": "20"}),
        ),
        (
            (
                "The store or the job was replaced: --epoch a is not its epoch, which is b. "
                "Start again without --after and --epoch."
            ),
            errors.EpochChanged(metadata={"requested": "a", "epoch": "b"}),
        ),
        (
            (
                "The server at h:1 cannot be reached (Connection refused). "
                "Is `milepost serve` running there? --address names another one."
            ),
            errors.Unreachable("h:1", "failed to connect; last error: Connection refused"),
        ),
        (
            (
                "The server at h:1 cannot be reached (Domain name not found). "
                "Is `milepost serve` running there? --address names another one."
            ),
            errors.Unreachable("h:1", "[field:hostname lookup error:lookup failed: Domain name not found]"),
        ),
        (
            (
                "The server at h:1 cannot be reached (unable to get local issuer certificate). "
                "Is `milepost serve` running there? --address names another one."
            ),
            errors.Unreachable(
                "h:1", "last error: CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate: OK"
            ),
        ),
        (
            (
                "The server at h:1 cannot be reached (its certificate is not trusted). "
                "--tls-ca names the certificate of its authority."
            ),
            errors.Unreachable("h:1", "its certificate is not trusted"),
        ),
        (
            (
                "The server at h:1 cannot be reached (its certificate is for another name). "
                "Give --address the name that the certificate is for."
            ),
            errors.Unreachable("h:1", "its certificate is for another name"),
        ),
        (
            (
                "The server at h:1 cannot be reached (what listens there does not speak gRPC). "
                "It may be the address of its pages: --address takes the other one that `milepost serve` prints."
            ),
            errors.Unreachable("h:1", "what listens there does not speak gRPC"),
        ),
        (
            (
                "The server at h:1 cannot be reached (no answer). "
                "Is `milepost serve` running there? --address names another one."
            ),
            errors.Unreachable("h:1"),
        ),
        ("The server is stopping. Try again shortly.", errors.Draining()),
        (r"There is no job '\x1b[2J'.", errors.JobNotFound("There is no job '\x1b[2J'.")),
    ],
)
def test_an_error_says_what_to_do(expected: str, error: errors.MilepostError) -> None:
    """One line: the error, the value, and what to do."""
    assert explain(error) == expected


def test_an_error_is_a_line_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr."""
    as_command_error(errors.JobNotFound("There is no job 'x'."), json=False).show()

    assert capsys.readouterr() == ("", "Error: There is no job 'x'.\n")


def test_an_error_is_an_object_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, with the server's machine-readable details."""
    error = errors.JobNotFound(
        "There is no job 'x'.", reason=ErrorReason.ERROR_REASON_JOB_NOT_FOUND, metadata={"job_id": "x"}
    )
    as_command_error(error, json=True).show()
    out, err = capsys.readouterr()

    assert out == ""
    assert json.loads(err) == {
        "error": {
            "status": 4,
            "message": "There is no job 'x'.",
            "reason": "JOB_NOT_FOUND",
            "metadata": {"job_id": "x"},
        }
    }


@pytest.mark.parametrize(
    ("expected", "output"),
    [
        ("Error: Wrong. Try 'watch --help'.\n", "auto"),
        ('{"error":{"status":2,"message":"Wrong."}}\n', "json"),
    ],
)
def test_a_wrong_command_line_is_a_line(
    capsys: pytest.CaptureFixture[str], expected: str, output: str
) -> None:
    """The error comes without the usage; with `--json` as an object."""
    context = click.Context(click.Command("watch"), info_name="watch")
    context.params["output"] = output
    show_usage_error(click.UsageError("Wrong.", context))

    assert capsys.readouterr() == ("", expected)
