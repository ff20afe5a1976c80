"""How the end of a Celery task ends its job, whatever the classes of its exceptions break."""

from __future__ import annotations

import pytest
from celery.exceptions import Reject, Retry

from milepost.client import JobFailure
from milepost.client.engines.celery.task_outcome import job_error


class Textless(Exception):
    """An exception whose `str` fails."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class OwnReject(Reject):
    """A rejection with other arguments than its base has."""

    def __init__(self) -> None:
        Exception.__init__(self)


@pytest.mark.parametrize(
    ("error", "code", "message", "retryable"),
    [
        (Reject("full", requeue=True), "REJECTED", "The task rejected its message: full", True),
        (Reject(Textless()), "REJECTED", "The task rejected its message: <Textless>", False),
        (OwnReject(), "REJECTED", "The task rejected its message.", False),
        (Textless(), "Textless", "<Textless>", False),
        (Retry(exc=Textless()), "Textless", "<Textless>", True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_exception_ends_the_job(error: BaseException, code: str, message: str, retryable: bool) -> None:
    """An error in its conversion would leave the job RUNNING for as long as its process lives."""
    failure = job_error(error, cancelled=False)

    assert isinstance(failure, JobFailure)
    assert (failure.code, failure.message, failure.retryable) == (code, message, retryable)
