"""Checkouts of Milepost whose servers are measured: this one, and one of another commit beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["HERE", "OURS", "Checkout", "checked_out"]

OURS: Final = "Milepost"
"""The name of Milepost among the contestants."""

_ROOT = Path(__file__).resolve().parents[1]


class Checkout(NamedTuple):
    """A checkout with an environment of its own."""

    name: str
    """Its name among the contestants."""
    command: Path
    """Its `milepost`."""
    options: Sequence[str]
    """Further options of its `milepost serve`."""


_HTTP_OFF = ("--http", "off")

HERE: Final = Checkout(OURS, Path(sys.executable).with_name("milepost"), _HTTP_OFF)
"""The checkout that this module is in."""


@contextmanager
def checked_out(commit: str, directory: Path, repository: Path = _ROOT) -> Iterator[Checkout]:
    """Check the commit out into a new directory, with its own environment; remove the directory at the end.

    Raises subprocess.CalledProcessError, with the output of the command that failed.
    """
    git = ("git", "-C", repository, "worktree")
    place = directory.resolve()
    _run([*git, "add", "--detach", place, commit])
    try:
        _run(["make", "-C", place, "setup"])
        command = place / ".venv" / "bin" / "milepost"
        # A version that does not know the option serves gRPC only.
        knows_http = "--http " in _run([command, "serve", "--help"])
        yield Checkout(f"Milepost at {commit}", command, _HTTP_OFF if knows_http else ())
    finally:
        _run([*git, "remove", "--force", place])


def _run(command: Sequence[str | Path]) -> str:
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment(os.environ),
        text=True,
        check=True,
    )
    return done.stdout


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what names this checkout's environment, or what `make` hands on to another `make`."""
    dropped = ("VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    return {name: value for name, value in environment.items() if name not in dropped}
