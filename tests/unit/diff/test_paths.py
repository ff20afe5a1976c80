"""Paths of parts, and the patterns that cover them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.client._diff.paths import PathPattern, PathPatterns, format_path

PATHS = st.lists(st.text() | st.integers(0, 999), min_size=1, max_size=8).map(tuple)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("result", ("result", "title")),
        ("result.title", ("result", "title")),
        ("$.result.title", ("result", "title")),
        ("result.tracks[2].words", ("result", "tracks", 2, "words", 7)),
        ("result.tracks[*].words", ("result", "tracks", 2, "words")),
        ("result.tracks.words", ("result", "tracks", 2, "words")),
        ("result.tracks.*", ("result", "tracks", 2)),
        ("result.**.id", ("result", "id")),
        ("result.**.id", ("result", "a", 3, "b", "id", "c")),
        ("events.TOPIC", ("events", "TOPIC", 0)),
        ("events.T*C.id", ("events", "TOPIC", 4, "id")),
        ('result["a.b"]', ("result", "a.b")),
        ("result['a b'].c", ("result", "a b", "c")),
        ("stages.scan/page-*.current", ("stages", "scan/page-1", "current")),
        ("result.id", ("children", "track", 0, "result", "id")),
        ("result.id", ("children", "track", 0, "children", "page", 1, "result", "id")),
        ("children.track.result.id", ("children", "track", 0, "result", "id")),
        ("children", ("children", "track", 0)),
    ],
)
def test_covered(pattern: str, path: tuple[str | int, ...]) -> None:
    """A pattern covers what it names, and all below."""
    assert PathPattern(pattern).covers(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("result.title", ("result",)),
        ("result.title", ("result", "titles")),
        ("title", ("result", "title")),
        ("result.tracks[1]", ("result", "tracks", 2)),
        ("result.id", ("result", "children", "track", 0, "result", "id")),
        ("result.*.id", ("result", "id")),
        ("**.id", ("result", "ids")),
        ('result["a*"]', ("result", "ab")),
        ("result.a+", ("result", "aa")),
    ],
)
def test_not_covered(pattern: str, path: tuple[str | int, ...]) -> None:
    """A pattern covers nothing above or beside what it names."""
    assert not PathPattern(pattern).covers(path)


@pytest.mark.parametrize(
    "text", ["", "$", "$.", "result[", "result[x]", "a b", "result..title", 'result["x]']
)
def test_malformed(text: str) -> None:
    """What is no pattern is refused, with the text that was given."""
    with pytest.raises(ValueError, match=r"is not a path|names no part") as raised:
        PathPattern(text)
    assert repr(text) in str(raised.value)


@given(PATHS)
def test_a_path_is_a_pattern_that_covers_it(path: tuple[str | int, ...]) -> None:
    """What a report shows can be pasted into --ignore, whatever names there are."""
    if isinstance(path[0], str):
        assert PathPattern(format_path(path)).covers(path)


@given(st.integers(1, 12), st.integers(1, 40))
def test_many_wildcards_take_no_more_than_linear_time(wildcards: int, length: int) -> None:
    """A pattern of wildcards alone covers everything, however many ways there are to match."""
    assert PathPattern(".".join(["**"] * wildcards + ["x"])).covers((*["a"] * length, "x"))


def test_several() -> None:
    """Of several patterns one is enough."""
    patterns = PathPatterns(("result.a", "events"))
    assert [patterns.covers(path) for path in [("result", "a"), ("events", "T", 0), ("result", "b")]] == [
        True,
        True,
        False,
    ]
