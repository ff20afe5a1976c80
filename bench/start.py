"""Start: from the command to the server's ready line, with a store of many jobs; and the time of --help and Tab."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from bench import stores
from bench.figures import OURS, Figure, Round, Settings, rounds
from bench.processes import milepost
from bench.stores import EVENTS, Store

__all__ = ["completion", "measure"]

_MILEPOST: Final = Path(sys.executable).with_name("milepost")
_CLICK: Final = "import click"
_COMMAND_LINES: Final = {
    "Tab behind an option": "milepost watch j --output p",
    "Tab for a job's id": "milepost watch ",
    "Tab for a job's id, without a server": "milepost watch ",
}
"""Command lines to complete, by the name of the measurement."""


def measure(settings: Settings) -> list[Figure]:
    """A server with a store of many jobs beside one of few; the command beside a Python that only imports click."""
    found = stores.largest(settings)
    what = f"start, {found[OURS].name} of {EVENTS} events"
    figures = rounds(what, {name: partial(_run_server, store) for name, store in found.items()}, settings)
    figures += _command("milepost --help", ["--help"], {}, settings)
    with milepost(settings.directory / "empty") as server:
        for what, words in _COMMAND_LINES.items():
            address = "127.0.0.1:1" if "without" in what else server.address
            figures += _command(what, [], completion(words, address), settings)
    return figures


def _run_server(store: Store) -> Round:
    started = time.perf_counter()
    with milepost(store.path):
        return {"to the ready line, s": time.perf_counter() - started}


def _command(
    what: str, arguments: Sequence[str], environment: Mapping[str, str], settings: Settings
) -> list[Figure]:
    contestants = {
        OURS: partial(_run, [_MILEPOST, *arguments], environment),
        _CLICK: partial(_run, [sys.executable, "-c", _CLICK], {}),
    }
    return rounds(what, contestants, settings)


def _run(command: Sequence[str | Path], environment: Mapping[str, str]) -> Round:
    started = time.perf_counter()
    subprocess.run(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, check=True)
    return {"until it is done, s": time.perf_counter() - started}


def completion(words: str, address: str) -> dict[str, str]:
    """The environment that bash completion sets."""
    return {
        "_MILEPOST_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
        "MILEPOST_ADDRESS": address,
    }
