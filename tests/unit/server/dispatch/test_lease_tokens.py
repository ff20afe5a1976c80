"""Lease tokens: the right to write to a job."""

from __future__ import annotations

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from milepost.server.dispatch.lease_tokens import LeaseTokens
from milepost.v1 import Job

tokens = LeaseTokens(b"secret", "epoch")


def job(job_id: str, *, seconds: int = 1, nanos: int = 1, attempt: int = 0) -> Job:
    """A job by what its tokens follow from."""
    return Job(job_id=job_id, submit_time=Timestamp(seconds=seconds, nanos=nanos), attempt=attempt)


def test_a_token_is_that_of_one_attempt_at_one_job() -> None:
    """Rules 11 and 14: the next attempt's differs, and so does another job's, and another store's or epoch's.

    Another job is also a later one with the id of a deleted one.
    """
    given = {
        tokens.token(job("j"), 1),
        tokens.token(job("j"), 2),
        tokens.token(job("k"), 1),
        tokens.token(job("j1"), 1),
        tokens.token(job("j"), 11),
        LeaseTokens(b"other", "epoch").token(job("j"), 1),
        LeaseTokens(b"secret", "other").token(job("j"), 1),
        tokens.token(job("j", seconds=2), 1),
        tokens.token(job("j", nanos=2), 1),
    }
    assert len(given) == 9


def test_a_token_needs_no_keeping() -> None:
    """The token is the same after a restart."""
    assert tokens.token(job("j"), 1) == LeaseTokens(b"secret", "epoch").token(job("j"), 1)


def test_the_current_attempts_token_holds() -> None:
    """Neither an earlier nor a later one is valid."""
    held = job("j", attempt=2)

    assert [tokens.holds(held, tokens.token(held, attempt)) for attempt in (1, 2, 3)] == [False, True, False]


@pytest.mark.parametrize("token", ["", "x", "é", "\x00", "0" * 32, "x" * 1_000_000])
def test_other_tokens_are_invalid(token: str) -> None:
    """Any other text is invalid."""
    assert not tokens.holds(job("j", attempt=1), token)


def test_there_is_no_lease_before_the_first_attempt() -> None:
    """Not even with the secret."""
    assert not tokens.holds(job("j"), tokens.token(job("j"), 0))
