"""The full stop of texts whose end others have written."""

from __future__ import annotations

import pytest

from milepost.client.errors import TokenUnavailable
from milepost.contract.sentence import sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it is not JSON", "it is not JSON."),
        ("did you mean filter.kinds?", "did you mean filter.kinds?"),
        ("no network.", "no network."),
        ("no network!\n", "no network!"),
        ("too long…", "too long…"),
        ("'a.b'", "'a.b'."),
    ],
)
def test_a_sentence_ends_once(text: str, expected: str) -> None:
    """With its own mark, or else with a full stop; so do errors with the text of another one."""
    assert sentence(text) == expected
    assert str(TokenUnavailable(text)) == f"No token could be obtained: {expected}"
