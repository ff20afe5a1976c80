"""Every statement of the SQLite log."""

from __future__ import annotations

from typing import Any, Final

from milepost.server.log.event_log import Query

PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    # NORMAL loses acknowledged commits when the power goes; see docs/design.md.
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA cache_size = -65536",
)

BEGIN: Final = "BEGIN IMMEDIATE"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"

GET_META: Final = "SELECT value FROM meta WHERE name = ?"
SET_META: Final = (
    "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
LAST_POSITION: Final = "SELECT coalesce(max(position), 0) FROM log"

INSERT_JOB: Final = """
    INSERT INTO jobs (job_id, owner, kind, parent_job_id, request_id, state, last_sequence, report_sequence, time, job)
    VALUES (:job_id, :owner, :kind, :parent_job_id, :request_id, :state, :last, :report_sequence, :time, :job)
    ON CONFLICT DO NOTHING RETURNING job_key
"""
UPDATE_JOB: Final = """
    UPDATE jobs SET state = ?, last_sequence = ?, report_sequence = ?, time = ?, job = ?
    WHERE job_id = ? AND last_sequence = ? RETURNING job_key
"""
INSERT_INPUT: Final = "INSERT INTO inputs (job_key, input) VALUES (?, ?)"
INSERT_LABEL: Final = "INSERT INTO labels (name, value, job_key) VALUES (?, ?, ?)"
INSERT_CHUNK: Final = "INSERT INTO log (job_key, first_sequence, last_sequence, frames) VALUES (?, ?, ?, ?)"

JOB_ROW: Final = "SELECT job_key, state, first_sequence, last_sequence, job FROM jobs WHERE job_id = ?"
CHUNKS: Final = """
    SELECT first_sequence, last_sequence, frames FROM log
    WHERE job_key = ? AND last_sequence > ? ORDER BY last_sequence
"""
LOAD: Final = "SELECT job, first_sequence, report_sequence, time FROM jobs WHERE job_id = ?"
FIND: Final = """
    SELECT job, input, first_sequence FROM jobs LEFT JOIN inputs USING (job_key) WHERE job_id = ?
"""
FIND_REQUEST: Final = "SELECT job_id FROM jobs WHERE owner = ? AND request_id = ? AND request_id <> ''"
ACTIVE: Final = "SELECT job, first_sequence FROM jobs WHERE state IN (1, 2, 3) ORDER BY job_key"


def listing(query: Query) -> tuple[str, list[Any]]:
    """The statement, with its parameters, that lists what the query asks for: job_key, job, input, first_sequence."""
    conditions: list[str] = []
    parameters: list[Any] = []

    def where(condition: str, *values: Any) -> None:
        conditions.append(condition)
        parameters.extend(values)

    if query.owner:
        where("owner = ?", query.owner)
    if query.kinds:
        where(f"kind IN ({_marks(query.kinds)})", *query.kinds)
    if query.states:
        where(f"state IN ({_marks(query.states)})", *query.states)
    if query.parent_job_id:
        where("parent_job_id = ? AND parent_job_id <> ''", query.parent_job_id)
    if query.job_ids:
        where(f"job_id IN ({_marks(query.job_ids)})", *query.job_ids)
    for name, value in (query.labels or {}).items():
        where("job_key IN (SELECT job_key FROM labels WHERE name = ? AND value = ?)", name, value)
    if query.after is not None:
        where("job_key < ?" if query.newest_first else "job_key > ?", query.after)
    return (
        "SELECT job_key, job, input, first_sequence FROM jobs LEFT JOIN inputs USING (job_key)"
        + (f" WHERE {' AND '.join(conditions)}" if conditions else "")
        + f" ORDER BY job_key {'DESC' if query.newest_first else 'ASC'} LIMIT ?",
        [*parameters, query.limit + 1],  # one more tells whether there are more
    )


def _marks(values: Any) -> str:
    return ", ".join("?" * len(values))
