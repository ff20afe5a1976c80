"""SQLite alone: write the rows of reports with plain SQLite, as durably as the server does."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

__all__ = ["Row", "store"]


class Row(NamedTuple):
    """One report in the log."""

    job_id: str
    last_sequence: int
    frames: bytes
    job: bytes
    """The job after the report, stored with it."""


_TABLES = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 4000;
    CREATE TABLE jobs (job_id TEXT PRIMARY KEY, last_sequence INTEGER, job BLOB);
    CREATE TABLE log (position INTEGER PRIMARY KEY, job_id TEXT, last_sequence INTEGER, frames BLOB);
    CREATE INDEX log_by_job ON log (job_id, last_sequence);
"""
_INSERT_JOB = "INSERT INTO jobs (job_id) VALUES (?)"
_INSERT = "INSERT INTO log (job_id, last_sequence, frames) VALUES (?, ?, ?)"
_UPDATE = "UPDATE jobs SET last_sequence = ?, job = ? WHERE job_id = ?"


async def store(path: Path, rows: Sequence[Row], group: int, times: int) -> AsyncGenerator[float | None]:
    """Create a database; then write all rows ``times`` times, ``group`` of them in each transaction.

    A generator for a ``Load``: it yields after the preparation, and then the seconds of the writes.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(_TABLES)
        connection.executemany(_INSERT_JOB, [(job_id,) for job_id in {row.job_id for row in rows}])
        yield None
        started = time.perf_counter()
        for _ in range(times):
            for first in range(0, len(rows), group):
                batch = rows[first : first + group]
                connection.execute("BEGIN")
                connection.executemany(_INSERT, [row[:3] for row in batch])
                connection.executemany(_UPDATE, [(row.last_sequence, row.job, row.job_id) for row in batch])
                connection.execute("COMMIT")
        seconds = time.perf_counter() - started
    yield seconds
