"""The schema of the SQLite log and its migrations."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Final

from milepost.v1 import Job

# Migration n brings a database from `PRAGMA user_version` n to n + 1. Never change a released one: add another.
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

    -- Apart from the jobs, whose row every commit rewrites.
    CREATE TABLE inputs (job_key INTEGER PRIMARY KEY, input BLOB NOT NULL);

    CREATE TABLE labels (
        name TEXT NOT NULL, value TEXT NOT NULL, job_key INTEGER NOT NULL, PRIMARY KEY (name, value, job_key)
    ) WITHOUT ROWID;
    CREATE INDEX labels_by_job ON labels (job_key);

    -- One row per commit. Positions order the commits of all jobs.
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

    -- Drops, for watches of many jobs. `identity` is a Job with the attributes that filters match; `first_sequence` is
    -- that of a trimmed log, and 0 if the job was deleted.
    CREATE TABLE notices (position INTEGER PRIMARY KEY, first_sequence INTEGER NOT NULL, identity BLOB NOT NULL);
    """,
    # For lists by more than one of these, which would otherwise scan all jobs of one.
    """
    CREATE INDEX jobs_by_owner_kind ON jobs (owner, kind, job_key);
    CREATE INDEX jobs_by_owner_state ON jobs (owner, state, job_key);
    CREATE INDEX jobs_by_kind_state ON jobs (kind, state, job_key);
    CREATE INDEX jobs_by_owner_kind_state ON jobs (owner, kind, state, job_key);
    """,
    # Records drops by job, for cursors over many jobs. Of earlier drops the database knows the jobs and the newest
    # position, but not the states and payloads.
    """
    ALTER TABLE log ADD COLUMN payloads INTEGER NOT NULL DEFAULT -1;

    -- Jobs that lost events, including deleted ones, which have `first_sequence` 0. `position` is that of the newest
    -- notice.
    CREATE TABLE dropped_jobs (
        job_key INTEGER PRIMARY KEY,
        position INTEGER NOT NULL UNIQUE,
        first_sequence INTEGER NOT NULL,
        job_id TEXT NOT NULL,
        owner TEXT NOT NULL,
        kind TEXT NOT NULL,
        parent_job_id TEXT NOT NULL
    );
    CREATE INDEX dropped_jobs_by_id ON dropped_jobs (job_id);
    CREATE INDEX dropped_jobs_by_owner ON dropped_jobs (owner, position);
    CREATE INDEX dropped_jobs_by_parent ON dropped_jobs (parent_job_id);
    CREATE INDEX deleted_jobs ON dropped_jobs (owner, position) WHERE first_sequence = 0;
    CREATE TABLE dropped_labels (
        job_key INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (job_key, name)
    ) WITHOUT ROWID;
    -- The newest dropped position of each job by states and payloads, both bit masks.
    CREATE TABLE drops (
        job_key INTEGER NOT NULL,
        states INTEGER NOT NULL,
        payloads INTEGER NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (job_key, states, payloads)
    ) WITHOUT ROWID;
    -- Per owner, the number of recorded deleted jobs, and the newest position of those no longer recorded.
    CREATE TABLE forgotten_drops (
        owner TEXT PRIMARY KEY, deleted INTEGER NOT NULL DEFAULT 0, position INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;

    CREATE TEMP TABLE noted AS SELECT position, first_sequence, identity, identity_of(identity, 'job_id') AS job_id
        FROM notices;
    CREATE INDEX temp.noted_by_id ON noted (job_id, position);
    DELETE FROM noted WHERE first_sequence > 0 AND EXISTS (
        SELECT 1 FROM noted AS later WHERE later.job_id = noted.job_id AND later.position > noted.position
    );
    INSERT INTO dropped_jobs
        SELECT coalesce(jobs.job_key, -noted.position), noted.position, noted.first_sequence, noted.job_id,
            identity_of(identity, 'owner'), identity_of(identity, 'kind'), identity_of(identity, 'parent_job_id')
        FROM noted LEFT JOIN jobs ON noted.first_sequence > 0 AND jobs.job_id = noted.job_id
            AND jobs.first_sequence = noted.first_sequence;
    INSERT INTO dropped_labels
        SELECT job_key, labels.key, labels.value
        FROM dropped_jobs JOIN noted USING (position) JOIN json_each(identity_of(identity, 'labels')) AS labels;
    INSERT INTO drops
        SELECT job_key, -1, -1, min(position - 1, CAST(value AS INTEGER)) FROM dropped_jobs
        JOIN meta ON name = 'dropped';
    INSERT INTO forgotten_drops (owner, deleted)
        SELECT owner, count(*) FROM dropped_jobs WHERE first_sequence = 0 GROUP BY owner;
    DROP TABLE noted;
    DROP TABLE notices;
    DELETE FROM meta WHERE name = 'dropped';
    """,
    # How often the shares of a job were revoked.
    "ALTER TABLE jobs ADD COLUMN share_generation INTEGER NOT NULL DEFAULT 0",
    # For the owners of a job's children.
    "CREATE INDEX jobs_by_parent_owner ON jobs (parent_job_id, owner) WHERE parent_job_id <> ''",
    # What estimates rest on: the latest runs of each owner's kinds, by the positions of their ends. They outlive their
    # jobs, and do not name them. A job that ends rewrites its own row anyway, so that is where the link to its run is.
    """
    ALTER TABLE jobs ADD COLUMN run_position INTEGER;
    CREATE TABLE histories (history_key INTEGER PRIMARY KEY, owner TEXT NOT NULL, kind TEXT NOT NULL);
    CREATE UNIQUE INDEX histories_by_kind ON histories (owner, kind);
    CREATE TABLE runs (
        history_key INTEGER NOT NULL, position INTEGER NOT NULL, run BLOB NOT NULL, PRIMARY KEY (history_key, position)
    ) WITHOUT ROWID;
    """,
    # A commit that ends a job has its run beside its frames; see ``run_collector``. The job has no link to it then.
    "ALTER TABLE log ADD COLUMN run BLOB",
)


class SchemaTooNew(Exception):
    """A newer Milepost wrote the database."""


def migrate(connection: sqlite3.Connection) -> None:
    """Migrate the database to the newest schema, one transaction per step. Raises SchemaTooNew."""
    connection.create_function("identity_of", 2, _identity_of, deterministic=True)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise SchemaTooNew(
            f"The database has schema version {version}; this Milepost knows versions up to {len(MIGRATIONS)}. "
            "Use the Milepost that wrote it, or a newer one."
        )
    for number in range(version, len(MIGRATIONS)):
        connection.executescript(f"BEGIN; {MIGRATIONS[number]}; PRAGMA user_version = {number + 1}; COMMIT;")


def _identity_of(identity: bytes, name: str) -> str:
    """SQL function of the migrations: return a field of a serialised Job; labels as JSON."""
    value = getattr(Job.FromString(identity), name)
    return value if isinstance(value, str) else json.dumps(dict(value))
