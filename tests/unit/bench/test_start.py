"""The command lines that `bench start` completes."""

from __future__ import annotations

import pytest
from click import Command
from click.shell_completion import BashComplete

from bench.start import completion


def test_the_command_is_asked_to_complete_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variables of bash that click reads: without them the command fails, and the measurement with it."""
    for name, value in completion("milepost watch j --output p", "127.0.0.1:1").items():
        monkeypatch.setenv(name, value)

    asked = BashComplete(Command("milepost"), {}, "milepost", "_MILEPOST_COMPLETE").get_completion_args()

    assert asked == (["watch", "j", "--output"], "p")
