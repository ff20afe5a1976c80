"""The tables of the SQLite log, and how an older database comes to have them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

# Migration n brings a database from `PRAGMA user_version` n to n + 1. What was released is never changed: add another.
MIGRATIONS: Final[Sequence[str]] = (
    """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

    CREATE TABLE jobs (
        job_key INTEGER PRIMARY KEY AUTOINCREMENT,
        job_id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        kind TEXT NOT NULL,
        parent_job_id TEXT NOT NULL,
        request_id TEXT NOT NULL,
        state INTEGER NOT NULL,
        first_sequence INTEGER NOT NULL DEFAULT 1,
        thinned_sequence INTEGER NOT NULL DEFAULT 0,
        last_sequence INTEGER NOT NULL,
        report_sequence INTEGER NOT NULL,
        time INTEGER NOT NULL,
        end_time INTEGER,
        children INTEGER NOT NULL DEFAULT 0,
        children_ended INTEGER NOT NULL DEFAULT 0,
        children_done INTEGER NOT NULL DEFAULT 0,
        job BLOB NOT NULL
    );
    CREATE INDEX jobs_by_owner ON jobs (owner, job_key);
    CREATE INDEX jobs_by_kind ON jobs (kind, job_key);
    CREATE INDEX jobs_by_state ON jobs (state, job_key);
    CREATE INDEX jobs_by_parent ON jobs (parent_job_id, job_key) WHERE parent_job_id <> '';
    CREATE INDEX jobs_by_end ON jobs (end_time, job_key) WHERE end_time IS NOT NULL;
    CREATE UNIQUE INDEX jobs_by_request ON jobs (owner, request_id) WHERE request_id <> '';

    -- Apart from the jobs, whose row is written anew with each commit.
    CREATE TABLE inputs (job_key INTEGER PRIMARY KEY, input BLOB NOT NULL);

    CREATE TABLE labels (
        name TEXT NOT NULL, value TEXT NOT NULL, job_key INTEGER NOT NULL, PRIMARY KEY (name, value, job_key)
    ) WITHOUT ROWID;
    CREATE INDEX labels_by_job ON labels (job_key);

    -- One row a commit. The positions are those of all jobs' commits in the order in which they were made.
    CREATE TABLE log (
        position INTEGER PRIMARY KEY,
        job_key INTEGER NOT NULL,
        first_sequence INTEGER NOT NULL,
        last_sequence INTEGER NOT NULL,
        state_before INTEGER NOT NULL,
        state_after INTEGER NOT NULL,
        frames BLOB NOT NULL
    );
    CREATE UNIQUE INDEX log_by_job ON log (job_key, last_sequence);

    -- What was dropped, for those who follow many jobs. `identity` is a Job with what filters ask for; `first_sequence`
    -- is that of a log whose beginning went, and 0 where the job was deleted.
    CREATE TABLE notices (position INTEGER PRIMARY KEY, first_sequence INTEGER NOT NULL, identity BLOB NOT NULL);
    """,
    # For lists by more than one of these: otherwise all jobs of one would be gone through for the other.
    """
    CREATE INDEX jobs_by_owner_kind ON jobs (owner, kind, job_key);
    CREATE INDEX jobs_by_owner_state ON jobs (owner, state, job_key);
    CREATE INDEX jobs_by_kind_state ON jobs (kind, state, job_key);
    CREATE INDEX jobs_by_owner_kind_state ON jobs (owner, kind, state, job_key);
    """,
)


class SchemaTooNew(Exception):
    """The database was written by a newer Milepost."""


def migrate(connection: sqlite3.Connection) -> None:
    """Brings the database to the newest schema, each step in a transaction of its own. Raises SchemaTooNew."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise SchemaTooNew(
            f"The database has schema version {version}; this Milepost knows versions up to {len(MIGRATIONS)}. "
            "Use the Milepost that wrote it, or a newer one."
        )
    for number in range(version, len(MIGRATIONS)):
        connection.executescript(f"BEGIN; {MIGRATIONS[number]}; PRAGMA user_version = {number + 1}; COMMIT;")
