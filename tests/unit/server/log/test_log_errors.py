"""What the errors of the log say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from milepost.server.log.log_errors import StoreError
from milepost.server.store_errors import refusal_of
from milepost.v1 import ErrorReason


def _kinds(of: type[StoreError] = StoreError) -> Iterator[type[StoreError]]:
    yield of
    for kind in of.__subclasses__():
        yield from _kinds(kind)


@pytest.mark.parametrize("kind", [*_kinds()], ids=lambda kind: kind.__name__)
def test_a_caller_is_told_whether_anything_was_changed(kind: type[StoreError]) -> None:
    """A refusal says in full whether the outcome is unknown, as the error has it, and to programs in its metadata."""
    error = kind.__new__(kind)  # their arguments differ
    refusal = refusal_of(error)
    assert refusal is not None
    assert error.message == refusal.message
    unknown = "whether this was done is not known" in refusal.message
    unchanged = "nothing was changed" in refusal.message or "changed nothing" in refusal.message
    assert (error.outcome_is_unknown, not error.outcome_is_unknown) == (unknown, unchanged)
    assert ({"outcome": "unknown"} if error.outcome_is_unknown else {}) == refusal.metadata
    if error.outcome_is_unknown:  # so that the error of the SDK for it can say so
        assert refusal.reason == ErrorReason.ERROR_REASON_STORE_UNAVAILABLE
