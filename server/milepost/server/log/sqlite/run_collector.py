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
"""Uncollected commits, with a run or without, at which they are collected: a read of a kind's runs scans them. After an
attempt that was undone there may be as many more as are written within ``INTERVAL``."""


class RunCollector:
    """The runs that the writer thread has yet to collect, at first those of an earlier process."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._runs = 1
        self._commits = 0
        self._due = 0.0
        # What this transaction has collected, which is undone with it, and when that was due.
        self._undoable_runs = self._undoable_commits = 0
        self._undoable_due = 0.0
        self._has_tried = False  # in this transaction
        self._retry = 0.0

    def begin(self) -> None:
        """Note that a transaction begins: what was collected before it is durable."""
        self._undoable_runs = self._undoable_commits = 0
        self._has_tried = False

    def note(self, run: bytes) -> None:
        """Count one more commit, with its run."""
        self._commits += 1
        if run:
            if not self._runs:
                self._due = time.monotonic() + INTERVAL
            self._runs += 1

    @property
    def is_due(self) -> bool:
        """Whether enough wait, or have waited long enough; not for ``INTERVAL`` after an attempt that was undone."""
        now = time.monotonic()
        return now >= self._retry and (
            self._commits >= COMMITS or self._runs >= RUNS or (self._runs > 0 and now >= self._due)
        )

    def collect(self) -> None:
        """Collect all of them, within a transaction."""
        self._has_tried = True
        if self._runs:
            collect_runs(self._connection)
        skip_commits(self._connection)
        if not self._undoable_runs:
            self._undoable_due = self._due
        self._undoable_runs += self._runs
        self._undoable_commits += self._commits
        self._runs = self._commits = 0

    def before_drop(self) -> None:
        """Collect before commits are dropped, which may have runs."""
        if self._runs:
            self.collect()

    def rolled_back(self) -> None:
        """Count what the transaction has collected again: it waits in the log.

        An attempt that was due is repeated later: it may itself be what a full disk has no room for, and the writes
        are without it.
        """
        if self._undoable_runs:
            self._due = self._undoable_due
        self._runs += self._undoable_runs
        self._commits += self._undoable_commits
        if self._has_tried and self.is_due:
            self._retry = time.monotonic() + INTERVAL
