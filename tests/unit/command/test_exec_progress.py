"""Lines and progress read from the output of a command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.client._cli.exec.line_splitter import LineSplitter, OutputLine
from milepost.client._cli.exec.progress_patterns import Progress, progress_parser


def lines_of(*pieces: bytes) -> list[OutputLine]:
    """The lines of a stream that arrives in these chunks."""
    lines = LineSplitter()
    return [*(line for piece in pieces for line in lines.feed(piece)), *lines.end()]


@pytest.mark.parametrize(
    ("expected", "written"),
    [
        ([], b""),
        ([OutputLine("a", True), OutputLine("", True), OutputLine("b", True)], b"a\n\nb"),
        ([OutputLine("ab", True)], b"a\x1b[" + b"9" * 5000 + b"Ab"),
        (
            [OutputLine(" 1%", False), OutputLine(" 2%", False), OutputLine("done", True)],
            b"\r 1%\r 2%\rdone\n",
        ),
        (
            [OutputLine("a", False), OutputLine("a", True), OutputLine("b", False), OutputLine("b", True)],
            b"a\r\nb\r",
        ),
        ([OutputLine("red", True)], b"\x1b]0;title\x07\x1b[1;31mred\x1b[0m\n"),
        ([OutputLine("on", True)], b"o\bof\b\bon\b\b\n"),
        ([OutputLine("ab", True)], b"a\x07\x1b(B\xc2\x9b1mb\n"),
        ([OutputLine("a\tb\x00", True)], b"a\tb\x00\n"),
        # Two bars that are redrawn: the end of each is final when the stream is.
        (
            [
                OutputLine("a 1", True),
                OutputLine("b 1", True),
                OutputLine("a 2", False),
                OutputLine("b 2", False),
                OutputLine("done", True),
                OutputLine("a 2", True),
                OutputLine("b 2", True),
            ],
            b"a 1\nb 1\n\x1b[2A\x1b[2Ka 2\n\x1b[2Kb 2\ndone\n",
        ),
        # A bar that is erased, and a line in its place.
        (
            [OutputLine("50%", False), OutputLine("", False), OutputLine("done", True)],
            b"50%\r\x1b[2K\rdone\n",
        ),
        ([OutputLine("gr\u00fc\u00df \ufffd", True)], "gr\u00fc\u00df ".encode() + b"\xff\n"),
    ],
)
def test_lines(expected: list[OutputLine], written: bytes) -> None:
    """As on a terminal: a carriage return restarts the line, and the last line may have no end."""
    assert lines_of(written) == expected


@given(
    st.lists(
        st.sampled_from(
            [b"a", b"\xc3\xbc", b"\r", b"\n", b"\b", b"\x1b[2A", b"\x1b[1B", b"\x1b[2K", b"\x1b[J"]
        )
    ),
    st.integers(1, 5),
)
def test_lines_do_not_depend_on_how_they_come(written: list[bytes], size: int) -> None:
    """Wherever the stream is divided."""
    stream = b"".join(written)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert lines_of(stream) == lines_of(*pieces)


def test_a_line_without_an_end_is_cut() -> None:
    """The mark says by how much; the next line is complete."""
    long, short = lines_of(*[b"x" * 10_000] * 10, b"\nnext\n")
    assert len(long.text.encode()) <= 65_536
    assert long.text.endswith(f"x\u2026 [clipped {100_000 - long.text.count('x')} bytes]")
    assert short == OutputLine("next", True)


@pytest.mark.parametrize(
    ("expected", "form", "line"),
    [
        (Progress(42, 100), "percent", "Downloading  42% of 3 MB"),
        (Progress(99.5, 100), "percent", "10% then 99.5 %"),
        (Progress(12.5, 100), "percent", "noch 12,5%"),
        (None, "percent", "140% sure"),
        (None, "percent", "no number"),
        (Progress(3, 10), "regex", "[ 3/10] Building"),
        (Progress(7, 10), "regex", "1 / 10, no: 7 / 10"),
        (None, "regex", "on 2026/11/21, in /usr/3/4.txt, or 12/3"),
        (Progress(1, 1000), "regex", "1/1,000"),
        (Progress(999, 1_000_000), "regex", "999/1,000,000 rows"),
        (Progress(1500.5, 2000), "regex", "1,500.5/2,000"),
        (Progress(3, 1000), "regex", "3/1.000"),
        (Progress(1_000_000, 2_000_000), "regex", "1.000.000/2.000.000"),
        (Progress(0.5, 2.5), "regex", "0,5/2,5"),
        (Progress(1.5, 10.25), "regex", "1.5/10.25"),
        (Progress(1234, 10_000), "regex", "1\u202f234/10'000"),
        (Progress(1_200_000, 3_400_000), "regex", "1.2/3.4 MB 5.6 MB/s eta 0:00:01"),
        (Progress(512_000, 3_400_000), "regex", "512 kB / 3.4 MB"),
        (Progress(2_000_000, 4_178_000), "regex", "2MB/4.178MB"),
        (Progress(1024, 2048), "regex", "1 KiB/2 KiB"),
        (None, "regex", "5.6 MB/3 s"),
        (None, "regex", "(xfr#1, to-chk=12/100)"),
        (Progress(1000), r"regex:(?P<current>[\d,]+) rows", "1,000 rows"),
        (
            Progress(45, 100),
            "percent",
            " 45 1024k   45  460k    0     0   978k      0  0:00:01 --:--:--  0:00:01",
        ),
        (Progress(45, 100), "auto", "Receiving objects:  45% (450/1000)"),
        (Progress(450, 1000), "auto", "450/1000"),
        (None, "auto", "time=00:00:04.00"),
        (Progress(5), "regex:frame= *(?P<current>[0-9]+)", "frame=   5 fps=25"),
        (Progress(2, 4, "b.c"), r"regex:(?P<message>\S+) (?P<current>\d) of (?P<total>\d)", "b.c 2 of 4"),
        (Progress(50, 100), "regex:(?P<percent>[0-9]+) percent", "50 percent"),
        (None, "regex:(?P<current>[a-z]+)", "abc"),
        (Progress(1, 2, is_only_progress=True), "json", '{"current": 1, "total": 2}'),
        (
            Progress(0.5, 1, "half", "load", is_only_progress=True),
            "json",
            '  {"fraction": 0.5, "message": "half", "stage": "load"}',
        ),
        (None, "json", '{"level": "info", "message": "not about progress"}'),
        (None, "json", '{"current": -1}'),
        (None, "json", '{"current": true}'),
        (None, "json", '{"current": NaN}'),
        (None, "json", '{"current": 1, "stage": 2}'),
        (None, "json", '{"current": 1'),
        (None, "json", "[1, 2]"),
        (None, "regex", f"1 PB/{'9' * 308} PB"),
        (None, "auto", f"Duration: {'9' * 5000}:00:00 time=00:00:01"),
        (None, "auto", f"Duration: {'9' * 400}:00:00 time=00:00:01"),
    ],
)
def test_progress(expected: Progress | None, form: str, line: str) -> None:
    """The last value of a line counts; impossible values are no progress."""
    assert progress_parser(form)(line) == expected


@pytest.mark.parametrize(
    ("expected", "form"),
    [
        ("is none of percent, json, regex", "percentage"),
        ("is none of percent, json, regex", "json:x"),
        ("is not a regular expression", "regex:("),
        ("needs a group", r"regex:\d+"),
        ("needs a group", r"regex:(?P<curent>\d+)"),
        ("needs a group", r"regex:(?P<current>\d+)(?P<other>\d)"),
    ],
)
def test_an_invalid_progress_format_is_explained(expected: str, form: str) -> None:
    """Says what is wrong with it."""
    with pytest.raises(ValueError, match=expected):
        progress_parser(form)
