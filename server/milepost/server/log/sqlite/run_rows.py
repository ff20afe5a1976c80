"""The rows of past runs: the latest of each kind, of a bounded number of kinds.

What is kept is a function of the set of runs that were recorded, whatever their order, so that all nodes keep the same.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from milepost.server.log.stored_runs import KIND_LIMIT, OWNER_KIND_LIMIT, RUN_LIMIT, StoredRun

_TOUCH: Final = """
    UPDATE histories SET newest = max(newest, ?) WHERE owner = ? AND kind = ? RETURNING history_key
"""
_INSERT_KIND: Final = "INSERT INTO histories (owner, kind, newest) VALUES (?, ?, ?) RETURNING history_key"
_INSERT_RUN: Final = "INSERT OR IGNORE INTO runs (history_key, position, run, job_key) VALUES (?, ?, ?, ?)"
_DELETE_OLDER: Final = f"""
    DELETE FROM runs WHERE history_key = ?1 AND position <= (
        SELECT position FROM runs WHERE history_key = ?1 ORDER BY position DESC LIMIT 1 OFFSET {RUN_LIMIT}
    )
"""
_OLDEST_OF_OWNER: Final = f"""
    SELECT history_key FROM histories WHERE owner = ? ORDER BY newest DESC LIMIT -1 OFFSET {OWNER_KIND_LIMIT}
"""
_OLDEST: Final = f"SELECT history_key FROM histories ORDER BY newest DESC LIMIT -1 OFFSET {KIND_LIMIT}"
_DELETE_KIND: Final = (
    "DELETE FROM runs WHERE history_key = ?",
    "DELETE FROM histories WHERE history_key = ?",
)
_RUNS: Final = """
    SELECT position, run FROM histories JOIN runs USING (history_key) WHERE owner = ? AND kind = ? ORDER BY position
"""
_RUN_OF_JOB: Final = "SELECT position, run FROM runs WHERE job_key = ?"
_RECENT_KINDS: Final = "SELECT owner, kind FROM histories ORDER BY newest DESC LIMIT ?"


def record_run(
    connection: sqlite3.Connection, owner: str, kind: str, stored: StoredRun, job_key: int | None
) -> None:
    """Record a run of a kind, and forget the oldest runs and kinds beyond the bounds.

    ``job_key`` is None if its job is gone.
    """
    row = connection.execute(_TOUCH, (stored.position, owner, kind)).fetchone()
    is_new = row is None
    if is_new:
        row = connection.execute(_INSERT_KIND, (owner, kind, stored.position)).fetchone()
    key: int = row[0]
    connection.execute(_INSERT_RUN, (key, *stored, job_key))
    connection.execute(_DELETE_OLDER, (key,))
    if is_new:
        for oldest, parameters in ((_OLDEST_OF_OWNER, (owner,)), (_OLDEST, ())):
            for excess in connection.execute(oldest, parameters).fetchall():
                for statement in _DELETE_KIND:
                    connection.execute(statement, excess)


def read_runs(connection: sqlite3.Connection, owner: str, kind: str) -> list[StoredRun]:
    """The runs of a kind, oldest first."""
    return [StoredRun(*row) for row in connection.execute(_RUNS, (owner, kind))]


def run_of_job(connection: sqlite3.Connection, job_key: int) -> StoredRun | None:
    """The run of a job that has ended, while it is among the latest of its kind."""
    row = connection.execute(_RUN_OF_JOB, (job_key,)).fetchone()
    return None if row is None else StoredRun(*row)


def recent_kinds(connection: sqlite3.Connection, limit: int) -> list[tuple[str, str]]:
    """Owner and kind of those with the most recent runs, the latest first."""
    return connection.execute(_RECENT_KINDS, (limit,)).fetchall()
