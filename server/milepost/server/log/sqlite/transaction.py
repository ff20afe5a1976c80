"""A transaction of the writer thread, and the interface of the writes in it."""

from __future__ import annotations

import sqlite3
from typing import Protocol

from milepost.server.log.event_log import Entry
from milepost.server.log.sqlite import statements
from milepost.server.log.sqlite.run_collector import RunCollector


class Transaction:
    """The connection within a transaction, the counter of positions, and the runs that wait in the log.

    ``execute`` executes a statement that every commit has. All of these use one cursor: each ends the one before.
    """

    def __init__(self, connection: sqlite3.Connection, position: int) -> None:
        self.connection = connection
        self.execute = connection.cursor().execute
        self.position = position
        self.runs = RunCollector(connection)

    def next_position(self) -> int:
        """Allocate the position of the next entry."""
        self.position += 1
        return self.position

    def begin(self) -> None:
        """Begin it. Raises sqlite3.Error, where another process has the database locked."""
        self.runs.begin()
        self.execute(statements.BEGIN)

    def roll_back(self) -> None:
        """Undo what was written since its begin, if it has begun, and what follows from that in memory.

        After some errors, such as that of a full disk, SQLite may have undone it already.
        """
        if self.connection.in_transaction:
            self.connection.execute(statements.ROLLBACK)
        self.runs.rolled_back()


class Write(Protocol):
    """A change of the log."""

    def write(self, transaction: Transaction) -> Entry | None:
        """Write it; return the entry for listeners, if any. Raises Conflict before it has written anything."""
