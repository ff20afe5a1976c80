"""How the multitrack example fits its lines into a terminal."""

from __future__ import annotations

import pytest

from examples.multitrack.wrapping import wrapped

URL = "http://127.0.0.1:40321/jobs/7c3f0f7e-52f3-4f0e-9d3c-0c3e7f5a1b22"


@pytest.mark.parametrize("width", [50, 80])
def test_lines_wrap_at_words(width: int) -> None:
    """Each further line is indented below the last column, and no word is broken."""
    head = "  anna    FINAL_SUMMARY     "
    words = "the three of them speak of tea and of well-known places by the sea " * 3
    lines = wrapped(head + words.strip(), width).splitlines()
    assert [len(line) <= width for line in lines] == [True] * len(lines)
    assert {line[: len(head)] for line in lines[1:]} == {" " * len(head)}
    assert " ".join(line[len(head) :] for line in lines) == words.strip()


@pytest.mark.parametrize("width", [50, 80])
def test_a_url_stays_in_one_piece(width: int) -> None:
    """It stands on the line of its name."""
    assert wrapped(f"page        {URL}", width) == f"page        {URL}"
