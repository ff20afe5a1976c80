"""Warnings of the SDK, of Python and of libraries on stderr."""

from __future__ import annotations

import json
import logging
import warnings

import pytest

from milepost.client._cli.commands.warning_lines import warning_lines


def warn() -> None:
    """Warns in every way."""
    logging.getLogger("milepost.client").info("not worth a line")
    logging.getLogger("milepost.client").warning("job %s: several\nlines \x1b[2J", "j")
    try:
        raise ValueError("no such thing")
    except ValueError:
        logging.getLogger("asyncio").exception("a task failed")
    warnings.showwarning("beware", UserWarning, "file.py", 7, line="")


LINES = [
    "job j: several lines \\x1b[2J",
    "a task failed: ValueError: no such thing",
    "file.py:7: UserWarning: beware",
]


def test_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """Each is a line, without control characters and tracebacks."""
    with warning_lines(json=False):
        warn()

    assert capsys.readouterr().err.splitlines() == [f"Warning: {line}" for line in LINES]


def test_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """Each is an object."""
    with warning_lines(json=True):
        warn()

    found = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert found == [{"warning": {"message": line}} for line in LINES]


def test_logging_is_restored() -> None:
    """Logging is restored."""
    before = list(logging.getLogger().handlers)
    with warning_lines(json=False):
        pass

    assert logging.getLogger().handlers == before
