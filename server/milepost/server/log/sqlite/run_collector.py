"""Collects runs: moves them from the log, where the commits of their ends have them, to the table of their kinds.

The end of a job writes fewer pages than if it wrote to the table, too. So a run is as durable as the end itself, and
the table follows: many runs at once, in a transaction that commits anyway, or in one of an idle writer.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Final

from milepost.server.log.sqlite.run_rows import collect_runs, skip_commits

RUNS: Final = 64
"""Runs that are collected at once."""

INTERVAL: Final = 10.0
"""Seconds after which fewer of them are collected."""

COMMITS: Final = 1024
"""Maximum uncollected commits, with a run or without: a read of a kind's runs scans them."""


class RunCollector:
    """The runs that the writer thread has yet to collect, at first those of an earlier process."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._runs = 1
        self._commits = 0
        self._due = 0.0

    def note(self, run: bytes) -> None:
        """Count one more commit, with its run."""
        self._commits += 1
        if run:
            if not self._runs:
                self._due = time.monotonic() + INTERVAL
            self._runs += 1

    @property
    def is_due(self) -> bool:
        """Whether enough wait, or have waited long enough."""
        return (
            self._commits >= COMMITS
            or self._runs >= RUNS
            or (self._runs > 0 and time.monotonic() >= self._due)
        )

    def collect(self) -> None:
        """Collect all of them, within a transaction."""
        if self._runs:
            collect_runs(self._connection)
        skip_commits(self._connection)
        self._runs = self._commits = 0

    def before_drop(self) -> None:
        """Collect before commits are dropped, which may have runs."""
        if self._runs:
            self.collect()

    def rolled_back(self) -> None:
        """Collect again, later: what the transaction may have collected waits in the log."""
        self._runs, self._commits = 1, 0
        self._due = time.monotonic() + INTERVAL
