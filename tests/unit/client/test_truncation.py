"""Truncation of text (rule 15)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.client._worker.truncation import failure_code, truncate, truncate_bytes
from milepost.contract.limits import FAILURE_CODE


def test_short_text_stays_as_it_is() -> None:
    """Up to and including the bound."""
    assert truncate("abc", 3) == "abc"
    assert truncate_bytes("äöü", 6) == "äöü"


def test_what_is_cut_says_by_how_much() -> None:
    """The mark has the number of missing characters."""
    clipped = truncate("a" * 100, 40)
    assert clipped == "a" * 14 + "… [clipped 86 characters]"
    assert len(clipped) <= 40
    clipped = truncate_bytes("ä" * 100, 60)
    assert clipped == "ä" * 16 + "… [clipped 84 characters]"
    assert len(clipped.encode()) <= 60


@given(st.text(st.characters(), max_size=300), st.integers(30, 200))
def test_bounds_always_hold(text: str, bound: int) -> None:
    """For any text, surrogates included, the result is Unicode and within the bound."""
    assert bound >= len(truncate(text, bound))
    assert bound >= len(truncate_bytes(text, bound).encode())


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("PATH_NOT_FOUND", "PATH_NOT_FOUND"),
        ("_Private", "Private"),
        ("no spaces!", "no_spaces_"),
        ("Größe", "Gr_e"),
        ("", "ERROR"),
        ("_", "ERROR"),
        ("x" * 100, "x" * 64),
    ],
)
def test_failure_codes_are_codes(name: str, code: str) -> None:
    """Any name becomes a valid code."""
    assert code == failure_code(name)
    assert FAILURE_CODE.fullmatch(code)
