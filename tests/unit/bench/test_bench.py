"""Documentation, figures and failures of the measurements."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

import bench
from bench import __main__ as command
from bench.figures import OURS, Figure, Settings, table
from bench.processes import MeasurementFailed

README = (Path(bench.__file__).parent / "README.md").read_text()


def printed(*figures: Figure) -> str:
    """The table of these figures."""
    console = Console(file=io.StringIO(), width=160)
    with console.capture() as capture:
        console.print(table(figures))
    return capture.get()


def test_the_readme_names_all_measurements() -> None:
    """Each measurement is in the table, with its duration."""
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (\d+ s|\d+ min)", README, re.MULTILINE)

    assert sorted(name for name, _ in rows) == sorted(command.MEASUREMENTS)


def test_a_figure_of_one_round_is_printed_as_such() -> None:
    """It has neither a median nor a range; nor has its ratio."""
    shown = printed(Figure("a", "s", {OURS: [2.0], "bare": [1.0]}))

    assert shown.count("(one round)") == 3
    assert "…" not in shown.partition("measured")[2]


def test_a_figure_of_several_rounds_has_a_range() -> None:
    """With the median."""
    assert "3 (2 … 9)" in printed(Figure("a", "s", {OURS: [9.0, 2.0, 3.0]}))


def test_a_measurement_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a line, with exit status 1; the other figures are still printed."""

    def fail(settings: Settings) -> list[Figure]:
        raise MeasurementFailed("the log is another one")

    monkeypatch.setattr(
        command,
        "MEASUREMENTS",
        {"storm": fail, "idle": lambda settings: [Figure("idle", "KB", {OURS: [7.0]})]},
    )
    outcome = CliRunner().invoke(command.main, ["storm", "idle", "--directory", str(tmp_path)])

    assert outcome.exit_code == 1
    assert "storm failed: the log is another one\n" in outcome.output
    assert "7 (one round)" in outcome.output
    assert "Traceback" not in outcome.output


@pytest.mark.nightly
def test_idle_and_storm(tmp_path: Path) -> None:
    """Even on a busy machine no job loses its worker, and a killed server gets its port again."""
    outcome = CliRunner().invoke(
        command.main, ["idle", "storm", "--rounds", "2", "--directory", str(tmp_path)], catch_exceptions=False
    )

    assert outcome.exit_code == 0, outcome.output
    assert set(re.findall(r"^(\w+) took \d+ s$", outcome.output, re.MULTILINE)) == {"idle", "storm"}
