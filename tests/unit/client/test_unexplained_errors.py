"""Errors of watches that nobody explains: a stream that a proxy has reset, or a fault of the server."""

from __future__ import annotations

import random

import grpc
import pytest

from milepost.client._transport.backoff import Backoff, is_unexplained
from milepost.client._transport.unexplained_errors import UNEXPLAINED_LIMIT, UnexplainedErrors
from milepost.client.errors import (
    JobNotFound,
    MilepostError,
    ProtocolError,
    ServiceError,
    StoreFull,
    Unreachable,
)

RESET = ServiceError("Received RST_STREAM", code=grpc.StatusCode.INTERNAL)


class Highest(random.Random):
    """A random source that returns the maximum."""

    def uniform(self, a: float, b: float) -> float:
        """The maximum."""
        return b


@pytest.mark.parametrize(
    ("error", "unexplained"),
    [
        (RESET, True),
        (ServiceError("Stream removed", code=grpc.StatusCode.UNKNOWN), True),
        (StoreFull("The disk is full.", code=grpc.StatusCode.INTERNAL), False),
        (ServiceError("lost", code=grpc.StatusCode.DATA_LOSS), False),
        (JobNotFound(code=grpc.StatusCode.NOT_FOUND), False),
        (Unreachable("somewhere"), False),
        (ProtocolError(), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, MilepostError) else None,
)
def test_what_is_unexplained(error: MilepostError, unexplained: bool) -> None:
    """Only INTERNAL and UNKNOWN, and only without a reason of the service."""
    assert is_unexplained(error) == unexplained


def test_the_last_of_many_in_a_row_does_not_pass() -> None:
    """Errors of other kinds between them are no progress, and are decided about by others."""
    errors = UnexplainedErrors()
    passed = [errors.may_pass(RESET) for _ in range(UNEXPLAINED_LIMIT - 1)]

    assert passed == [True] * (UNEXPLAINED_LIMIT - 1)
    assert errors.may_pass(Unreachable("somewhere")) is False
    assert errors.may_pass(RESET) is False


def test_progress_begins_a_new_row() -> None:
    """So that a watch goes on for as long as it gets anything."""
    errors = UnexplainedErrors()
    passed = []
    for _ in range(UNEXPLAINED_LIMIT):
        passed += [errors.may_pass(RESET) for _ in range(UNEXPLAINED_LIMIT - 1)]
        errors.passed()

    assert set(passed) == {True}


def test_the_delays_before_the_last_one() -> None:
    """Are 13 s at most: time for a proxy, or a server behind one, to be replaced."""
    backoff = Backoff(source=Highest())
    delays = [backoff.next_delay(opened=True) for _ in range(UNEXPLAINED_LIMIT - 1)]

    assert sum(delays) == pytest.approx(12.7)


def test_a_call_is_repeated_after_what_a_watch_resumes_after() -> None:
    """Loops over calls have the same bound; transient errors do not count, and refusals end them at once."""
    errors = UnexplainedErrors()
    repeated = [errors.may_repeat(RESET) for _ in range(UNEXPLAINED_LIMIT - 1)]

    assert repeated == [True] * (UNEXPLAINED_LIMIT - 1)
    assert errors.may_repeat(Unreachable("somewhere")) is True
    assert errors.may_repeat(JobNotFound()) is False
    assert errors.may_repeat(RESET) is False
