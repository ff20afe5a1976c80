"""Recorded progress output of programs, and the progress that a person reads from it.

pip 23.2 and uv 0.13 were recorded on a terminal of 80 columns as they installed two wheels, cargo 1.95 as it built nine
crates, wget 1.21 and rsync 3.2 as they copied; curl 7.88, ffmpeg 5.1 and git 2.39 in a pipe. Those of docker were made
after the source of moby's `pkg/jsonmessage`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from milepost.client._cli.exec.bar_progress import BarTracker
from milepost.client._cli.exec.line_splitter import LineSplitter
from milepost.client._cli.exec.progress_patterns import Progress, progress_parser

RECORDINGS = Path(__file__).parent / "recordings"
# Where a program may have written one picture and then the next.
PICTURES = re.compile(rb"(?=\x1b\[\d+A|\r(?!\x1b))")


class Person:
    """Reads progress. ``seen`` has each progress once; ``phases`` counts the restarts."""

    def __init__(self, form: str) -> None:
        self.seen: list[tuple[float, float | None]] = []
        self.phases = 0
        self.lines: list[str] = []
        self._reader = progress_parser(form)
        self._lines = LineSplitter(columns=80)
        self._bars = BarTracker()

    def watch(self, written: bytes) -> tuple[float, float | None]:
        """Read more output; return the progress at its end."""
        for picture in PICTURES.split(written):
            for line in self._lines.feed(picture):
                self._see(self._bars.update(line, self._reader(line.text)))
                if line.stays:
                    self.lines.append(line.text)
            for line in self._lines.partial():
                self._see(self._bars.update(line, self._reader(line.text)))
            self._see(self._bars.poll())
        return self.seen[-1]

    def _see(self, reading: Progress | None) -> None:
        if reading is not None:
            self.phases += reading.restarts
            if self.seen[-1:] != [(reading.current, reading.total)]:
                self.seen.append((reading.current, reading.total))


@pytest.mark.parametrize(
    ("name", "form", "upto", "expected", "end", "phases"),
    [
        ("pip", "auto", b"1.5/2.9 MB", (1_500_000, 2_900_000), (2_900_000, 2_900_000), 1),
        ("pip", "regex", b"0.7/1.5 MB", (700_000, 1_500_000), (2_900_000, 2_900_000), 1),
        (
            "uv",
            "auto",
            b"1.09 MiB/2.77 MiB",
            (1_142_948 + 1_142_948, 1_499_464 + 2_904_556),
            (1_499_464 + 2_904_556,) * 2,
            0,
        ),
        ("curl", "auto", b"\r 64 2929k", (30, 100), (100, 100), 0),
        ("curl", "percent", b"995k", (64, 100), (100, 100), 0),
        ("curl-bar", "percent", b" 50.0%", (50, 100), (100, 100), 0),
        ("wget", "percent", b" 48%[", (48, 100), (100, 100), 0),
        ("wget-dots", "percent", b" 49%", (49, 100), (100, 100), 0),
        ("rsync", "percent", b" 39%", (39, 100), (100, 100), 2),
        ("rsync-whole", "auto", b" 46%", (46, 100), (100, 100), 0),
        ("ffmpeg", "auto", b"time=00:00:06.00", (6, 10), (10, 10), 0),
        ("git", "auto", b"Resolving deltas:  59%", (59, 100), (100, 100), 3),
        ("cargo", "auto", b"5/9", (5, 9), (8, 9), 0),
        (
            "docker",
            "regex",
            b"13.55MB/27.1MB",
            (13_550_000 + 2_350_000 + 1732, 31_279_732),
            (4_178_000,) * 2,
            2,
        ),
    ],
)
def test_recorded_output_gives_the_progress_that_a_person_sees(
    name: str,
    form: str,
    upto: bytes,
    expected: tuple[float, float],
    end: tuple[float, float],
    phases: int,
) -> None:
    """In the middle, without waiting for the next update, and at the end; a restart is another phase."""
    recorded = (RECORDINGS / name).read_bytes()
    at = recorded.index(upto) + len(upto)
    person = Person(form)
    middle = person.watch(recorded[:at])
    last = person.watch(recorded[at:])

    assert (middle, last, person.phases) == (expected, end, phases)


def test_redrawn_bars_leave_their_last_content() -> None:
    """Redrawn bars leave only their last content."""
    person = Person("auto")
    person.watch((RECORDINGS / "docker").read_bytes())
    person.lines += [line.text for line in person._lines.end() if line.text]

    assert person.lines == [
        "Using default tag: latest",
        "latest: Pulling from library/redis",
        *[""] * 3,
        "Digest: sha256:db485f2e245b5b3329fdc7eff4eb00f913e09d8feb9ca720788059fdc2ed8339",
        "Status: Downloaded newer image for redis:latest",
        "a2abf6c4d29d: Pull complete ",
        "c7a4e4382001: Pull complete ",
        "4044b9ba67c9: Pull complete ",
    ]
