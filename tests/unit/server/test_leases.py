"""Lease tokens: the right to write to a job."""

from __future__ import annotations

import pytest

from milepost.server.dispatch.lease_tokens import LeaseTokens
from milepost.v1 import Job

tokens = LeaseTokens(b"secret", "epoch")


def test_a_token_is_that_of_one_attempt_at_one_job() -> None:
    """Rules 11 and 14: the next attempt's differs, and so does another job's, and another store's or epoch's."""
    given = {
        tokens.token("j", 1),
        tokens.token("j", 2),
        tokens.token("k", 1),
        tokens.token("j1", 1),
        tokens.token("j", 11),
        LeaseTokens(b"other", "epoch").token("j", 1),
        LeaseTokens(b"secret", "other").token("j", 1),
    }
    assert len(given) == 7


def test_a_token_needs_no_keeping() -> None:
    """The token is the same after a restart."""
    assert tokens.token("j", 1) == LeaseTokens(b"secret", "epoch").token("j", 1)


def test_the_current_attempts_token_holds() -> None:
    """Neither an earlier nor a later one is valid."""
    job = Job(job_id="j", attempt=2)

    assert [tokens.holds(job, tokens.token("j", attempt)) for attempt in (1, 2, 3)] == [False, True, False]


@pytest.mark.parametrize("token", ["", "x", "é", "\x00", "0" * 32, "x" * 1_000_000])
def test_other_tokens_are_invalid(token: str) -> None:
    """Any other text is invalid."""
    assert not tokens.holds(Job(job_id="j", attempt=1), token)


def test_there_is_no_lease_before_the_first_attempt() -> None:
    """Not even with the secret."""
    assert not tokens.holds(Job(job_id="j"), tokens.token("j", 0))
