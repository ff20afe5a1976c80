"""Documentation, figures and failures of the measurements."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console
from rich.table import Table

import bench
from bench import __main__ as command
from bench.checkouts import checked_out
from bench.figures import OURS, Figure, Settings, rounds_table, table
from bench.processes import MeasurementFailed

README = (Path(bench.__file__).parent / "README.md").read_text()


def printed(*figures: Figure) -> str:
    """The table of these figures."""
    return text_of(table(figures))


def text_of(shown: Table) -> str:
    """The table as it is printed."""
    console = Console(file=io.StringIO(), width=160)
    with console.capture() as capture:
        console.print(shown)
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


def test_a_figure_beside_nothing_is_printed() -> None:
    """As the longest pass of an event loop that had no long one; to fail would lose the other figures."""
    assert "∞ (one round)" in printed(Figure("a", "ms", {OURS: [2.0], "before": [0.0]}))


def test_a_measurement_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a line, with exit status 1; the other figures are still printed."""

    def fail(settings: Settings) -> list[Figure]:
        raise MeasurementFailed("the log is another one")

    def fail_in_a_process(settings: Settings) -> list[Figure]:
        raise subprocess.CalledProcessError(1, ["milepost"])

    monkeypatch.setattr(
        command,
        "MEASUREMENTS",
        {
            "storm": fail,
            "start": fail_in_a_process,
            "idle": lambda settings: [Figure("idle", "KB", {OURS: [7.0]})],
        },
    )
    outcome = CliRunner().invoke(command.main, ["storm", "start", "idle", "--directory", str(tmp_path)])

    assert outcome.exit_code == 1
    assert "storm failed: the log is another one\n" in outcome.output
    assert "start failed: Command '['milepost']' returned non-zero exit status 1.\n" in outcome.output
    assert "7 (one round)" in outcome.output
    assert "Traceback" not in outcome.output


def test_rounds_of_two_checkouts_stand_side_by_side() -> None:
    """Each with its ratio, after the ratio of the medians, which one slow round does not move."""
    figure = Figure("live", "µs", {OURS: [2.0, 3.0, 90.0], "other": [4.0, 4.0, 6.0], "bare": [1.0, 1.0, 1.0]})

    shown = text_of(rounds_table([figure], "other"))

    assert figure.ratio_of_medians("other") == 0.75
    assert re.findall(r"(\S+) / (\S+) = (\S+)", shown) == [
        ("2", "4", "0.5"),
        ("3", "4", "0.75"),
        ("90", "6", "15"),
    ]
    assert "bare" not in shown


def test_another_commit_is_checked_out_with_its_own_environment(tmp_path: Path) -> None:
    """Its server is started with the options that it knows, and the checkout is gone at the end."""
    repository = tmp_path / "repository"
    commits = [commit(repository, "--address  --data"), commit(repository, "--address  --http  --data")]

    options = []
    for each in commits:
        place = tmp_path / each
        with checked_out(each, place, repository) as other:
            assert other.command == place / ".venv" / "bin" / "milepost"
            options.append(other.options)
        assert not place.exists()

    assert options == [(), ("--http", "off")]


def commit(repository: Path, serve_help: str) -> str:
    """Commit a project whose `make setup` installs a `milepost` with this help; return the commit."""
    repository.mkdir(exist_ok=True)
    (repository / "milepost").write_text(f"#!/bin/sh\necho '{serve_help}'\n")
    (repository / "Makefile").write_text(
        "setup:\n\tmkdir -p .venv/bin\n\tcp milepost .venv/bin\n\tchmod +x .venv/bin/milepost\n"
    )
    git: list[str | Path] = ["git", "-C", repository, "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "a"]):
        subprocess.run([*git, *arguments], check=True)
    revision = subprocess.run([*git, "rev-parse", "HEAD"], check=True, stdout=subprocess.PIPE, text=True)
    return revision.stdout.strip()


@pytest.mark.parametrize("option", ["--against", "--rows"])
def test_only_some_are_measured_beside_another_commit(option: str, tmp_path: Path) -> None:
    """Others say which do, and nothing is measured."""
    outcome = CliRunner().invoke(command.main, ["idle", option, "HEAD", "--directory", str(tmp_path)])

    assert outcome.exit_code == 2
    assert "replay, live, reports" in outcome.output


def test_a_commit_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """With what git says of it."""
    outcome = CliRunner().invoke(command.main, ["live", "--against", "0" * 40, "--directory", str(tmp_path)])

    assert outcome.exit_code == 1
    assert f"{'0' * 40} could not be checked out" in outcome.output


def test_rows_are_chosen_by_their_names(tmp_path: Path) -> None:
    """By a part of them; all, where none is given."""
    settings = Settings(tmp_path, 1, 1.0, tmp_path, full=False, rows="1 subscriber")

    assert settings.includes("live, 1 subscriber")
    assert not settings.includes("live, 1,000 subscribers")
    assert Settings(tmp_path, 1, 1.0, tmp_path, full=False).includes("live, 1,000 subscribers")


@pytest.mark.nightly
def test_idle_and_storm(tmp_path: Path) -> None:
    """Even on a busy machine no job loses its worker, and a killed server gets its port again."""
    outcome = CliRunner().invoke(
        command.main, ["idle", "storm", "--rounds", "2", "--directory", str(tmp_path)], catch_exceptions=False
    )

    assert outcome.exit_code == 0, outcome.output
    assert set(re.findall(r"^(\w+) took \d+ s$", outcome.output, re.MULTILINE)) == {"idle", "storm"}
