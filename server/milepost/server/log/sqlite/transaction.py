"""What is written in one transaction of SQLite."""

from __future__ import annotations

import sqlite3
from typing import Protocol

from milepost.server.log.event_log import Entry


class Transaction:
    """What a write works with: the connection, within a transaction, and the positions to give out."""

    def __init__(self, connection: sqlite3.Connection, position: int) -> None:
        self.connection = connection
        self.position = position

    def next_position(self) -> int:
        """The place of the next entry among those of all jobs."""
        self.position += 1
        return self.position


class Write(Protocol):
    """Something to be written."""

    def write(self, transaction: Transaction) -> Entry | None:
        """Writes it; returns what those who follow the log are told. Raises Conflict, having written nothing."""
