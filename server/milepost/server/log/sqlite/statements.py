"""All SQL statements of the SQLite log."""

from __future__ import annotations

from collections.abc import Collection
from itertools import product
from typing import Any, Final

from milepost.contract import job_states
from milepost.server.log.event_log import ANY_STATE, Query, state_mask
from milepost.server.messages.payloads import ANY_PAYLOAD

_HAS_LABEL = "job_key IN (SELECT job_key FROM labels WHERE name = ? AND value = ?)"
_HAS_COMMON_LABEL = (
    "EXISTS (SELECT 1 FROM labels WHERE name = ? AND value = ? AND labels.job_key = jobs.job_key)"
)
_HAD_LABEL = """EXISTS (
    SELECT 1 FROM dropped_labels WHERE dropped_labels.job_key = dropped_jobs.job_key AND name = ? AND value = ?
)"""

# Maximum number of selects that one list merges; SQLite allows 500.
_UNION_LIMIT = 100

WAL_SIZE_LIMIT: Final = 64 << 20
"""Size in bytes that the write-ahead log's file keeps; see ``wal_upkeep``."""

WRITER_CACHE_BYTES: Final = 16 << 20
READER_CACHE_BYTES: Final = 4 << 20
"""Pages that a connection keeps in memory. The operating system caches the file besides."""

WAL_PAGES: Final = 4000
"""Pages in the write-ahead log at which a commit moves them into the database."""

_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    f"PRAGMA wal_autocheckpoint = {WAL_PAGES}",
    f"PRAGMA journal_size_limit = {WAL_SIZE_LIMIT}",
    f"PRAGMA cache_size = -{WRITER_CACHE_BYTES >> 10}",
)
# NORMAL loses acknowledged commits in a power cut; see docs/design.md.
PRAGMAS: Final = (*_PRAGMAS, "PRAGMA synchronous = FULL")
PROJECTION_PRAGMAS: Final = (*_PRAGMAS, "PRAGMA synchronous = NORMAL")

BEGIN: Final = "BEGIN IMMEDIATE"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"

READ_ONLY: Final = ("PRAGMA query_only = ON", f"PRAGMA cache_size = -{READER_CACHE_BYTES >> 10}")
# Frees the cached pages.
SHRINK_MEMORY: Final = "PRAGMA shrink_memory"

BUSY_TIMEOUT: Final = "PRAGMA busy_timeout"
CHECKPOINT_WAL: Final = "PRAGMA wal_checkpoint(TRUNCATE)"
CHECKPOINT_WAL_PASSIVELY: Final = "PRAGMA wal_checkpoint(PASSIVE)"


def set_busy_timeout(milliseconds: int) -> str:
    """The statement that sets for how long a connection waits for a lock of another one."""
    return f"PRAGMA busy_timeout = {milliseconds}"


def set_autocheckpoint(pages: int) -> str:
    """The statement that sets after how many pages in the write-ahead log a commit moves them; 0 for never."""
    return f"PRAGMA wal_autocheckpoint = {pages}"


def primary_code(error: Exception) -> int:
    """The error code of SQLite without its extension; 0 if it is not an error of SQLite."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


GET_META: Final = "SELECT value FROM meta WHERE name = ?"
SET_META: Final = (
    "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
# No position is used twice: if the newest entry was dropped, there is a notice after it.
LAST_POSITION: Final = """
    SELECT max(coalesce((SELECT max(position) FROM log), 0), coalesce((SELECT max(position) FROM dropped_jobs), 0))
"""

INSERT_JOB: Final = """
    INSERT INTO jobs
        (job_key, job_id, owner, kind, parent_job_id, request_id, state, last_sequence, report_sequence, time, job)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING RETURNING job_key
"""
# SQLite rewrites the entries of each index that has a column of the SET list, whether the value changes or not. Nearly
# all commits keep the state: with a statement that does not name it they write three pages, and seven otherwise.
# RETURNING would collect its rows in a table of its own: that took a sixth of a commit's processor time.
UPDATE_JOB: Final = """
    UPDATE jobs SET last_sequence = ?, report_sequence = ?, time = ?, job = ? WHERE job_id = ? AND last_sequence = ?
"""
UPDATE_JOB_AND_STATE: Final = """
    UPDATE jobs SET state = ?, end_time = coalesce(?, end_time),
        last_sequence = ?, report_sequence = ?, time = ?, job = ?
    WHERE job_id = ? AND last_sequence = ?
"""
COUNT_CHILD: Final = """
    UPDATE jobs SET children = children + ?, children_ended = children_ended + ?, children_done = children_done + ?
    WHERE job_id = ?
"""
INSERT_INPUT: Final = "INSERT INTO inputs (job_key, input) VALUES (?, ?)"
INSERT_LABEL: Final = "INSERT INTO labels (name, value, job_key) VALUES (?, ?, ?)"
INSERT_CHUNK: Final = """
    INSERT INTO log
        (position, job_key, first_sequence, last_sequence, state_before, state_after, payloads, frames, run)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
APPEND_CHUNK: Final = """
    INSERT INTO log
        (position, job_key, first_sequence, last_sequence, state_before, state_after, payloads, frames, run)
    VALUES (?, (SELECT job_key FROM jobs WHERE job_id = ?), ?, ?, ?, ?, ?, ?, ?)
"""

PRUNING_ROW: Final = "SELECT job_key, state, last_sequence, job FROM jobs WHERE job_id = ?"
CHUNKS_FROM_END: Final = """
    SELECT position, frames FROM log WHERE job_key = ? ORDER BY last_sequence DESC
"""
REPLACE_FRAMES: Final = "UPDATE log SET frames = ? WHERE position = ?"
MARK_THINNED: Final = "UPDATE jobs SET thinned_sequence = ? WHERE job_key = ?"
LAST_BEFORE: Final = "SELECT max(last_sequence) FROM log WHERE job_key = ? AND last_sequence < ?"
TRIM: Final = "DELETE FROM log WHERE job_key = ? AND last_sequence < ?"
REVOKE_SHARES: Final = "UPDATE jobs SET share_generation = share_generation + 1 WHERE job_key = ?"
SET_FIRST: Final = "UPDATE jobs SET first_sequence = ? WHERE job_key = ?"
DELETE_JOB: Final = (
    "DELETE FROM log WHERE job_key = ?",
    "DELETE FROM inputs WHERE job_key = ?",
    "DELETE FROM labels WHERE job_key = ?",
    "DELETE FROM jobs WHERE job_key = ?",
)

# Earlier drops and those of the commits that are about to go.
DROPS_BEFORE: Final = """
    SELECT states, payloads, max(position) FROM (
        SELECT states, payloads, position FROM drops WHERE job_key = :key
        UNION ALL
        SELECT (1 << state_before) | (1 << state_after) AS states, payloads, position FROM log
        WHERE job_key = :key AND last_sequence < :first
    ) GROUP BY states, payloads
"""
RECORD_DROPPED: Final = """
    INSERT INTO dropped_jobs (job_key, position, first_sequence, job_id, owner, kind, parent_job_id)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (job_key) DO UPDATE SET position = excluded.position, first_sequence = excluded.first_sequence
"""
RECORD_LABEL: Final = "INSERT OR IGNORE INTO dropped_labels (job_key, name, value) VALUES (?, ?, ?)"
RECORD_DROP: Final = "INSERT OR REPLACE INTO drops (job_key, states, payloads, position) VALUES (?, ?, ?, ?)"
COUNT_DELETED: Final = """
    INSERT INTO forgotten_drops (owner, deleted) VALUES (?, 1)
    ON CONFLICT (owner) DO UPDATE SET deleted = deleted + 1 RETURNING deleted, position
"""
OLDEST_DELETED: Final = """
    SELECT job_key, position FROM dropped_jobs WHERE owner = ? AND first_sequence = 0 ORDER BY position LIMIT ?
"""
FORGET_DROPPED: Final = (
    "DELETE FROM drops WHERE job_key = ?",
    "DELETE FROM dropped_labels WHERE job_key = ?",
    "DELETE FROM dropped_jobs WHERE job_key = ?",
)
SET_FORGOTTEN: Final = "UPDATE forgotten_drops SET deleted = ?, position = ? WHERE owner = ?"

JOB_ROW: Final = """
    SELECT job_key, first_sequence, thinned_sequence, last_sequence, job FROM jobs WHERE job_id = ?
"""
CHUNKS: Final = """
    SELECT first_sequence, last_sequence, frames FROM log
    WHERE job_key = ? AND last_sequence > ? ORDER BY last_sequence
"""
LOAD: Final = "SELECT job, first_sequence, thinned_sequence, report_sequence, time FROM jobs WHERE job_id = ?"
FIND: Final = """
    SELECT job, input, first_sequence, thinned_sequence FROM jobs LEFT JOIN inputs USING (job_key) WHERE job_id = ?
"""
LISTED_JOB: Final = """
    SELECT job_id, job, input, first_sequence, thinned_sequence
    FROM jobs LEFT JOIN inputs USING (job_key) WHERE job_key = ?
"""
# Whether more jobs than that have a label.
LABEL_HAS_MORE_JOBS: Final = "SELECT 1 FROM labels WHERE name = ? AND value = ? LIMIT 1 OFFSET ?"
# The second parameter is the key of any job, which is read if there is none with the id: to read no row would take less
# time than to read one, and callers must not learn from response times that another owner has a job with this id.
IDENTIFY: Final = """
    SELECT owner, kind, parent_job_id, job_key, share_generation, job_id FROM jobs
    WHERE job_key = coalesce((SELECT job_key FROM jobs WHERE job_id = ?), ?)
"""
FIND_REQUEST: Final = "SELECT job_id FROM jobs WHERE owner = ? AND request_id = ? AND request_id <> ''"
# Two ranges of jobs_by_parent_owner, which skip the owner's own children, however many there are.
CHILD_OF_OTHERS: Final = """
    SELECT 1 FROM jobs WHERE parent_job_id = ? AND parent_job_id <> '' AND owner < ?
    UNION ALL
    SELECT 1 FROM jobs WHERE parent_job_id = ? AND parent_job_id <> '' AND owner > ?
    LIMIT 1
"""
_ACTIVE_STATES: Final = ", ".join(map(str, sorted(job_states.ACTIVE)))
ACTIVE: Final = f"""
    SELECT job_key, job_id, job, first_sequence, thinned_sequence FROM jobs
    WHERE state IN ({_ACTIVE_STATES}) AND job_key > ? ORDER BY job_key
"""
ACTIVE_CHILDREN: Final = f"""
    SELECT job_key, job_id FROM jobs
    WHERE parent_job_id = ? AND parent_job_id <> '' AND job_key > ? AND state IN ({_ACTIVE_STATES})
    ORDER BY job_key LIMIT ?
"""
CHILDREN: Final = "SELECT children, children_ended, children_done FROM jobs WHERE job_id = ?"
ENDED: Final = """
    SELECT job_key, end_time, first_sequence, thinned_sequence, job_id, job FROM jobs
    WHERE end_time IS NOT NULL AND (end_time, job_key) > (?, ?) ORDER BY end_time, job_key LIMIT ?
"""
DROPPED_LABELS: Final = "SELECT name, value FROM dropped_labels WHERE job_key = ?"

FEED: Final = """
    SELECT position, job_id, log.first_sequence, log.last_sequence, frames, state_before, state_after
    FROM log CROSS JOIN jobs USING (job_key)
"""


def feed(query: Query, after: int, last: int) -> tuple[str, list[Any]]:
    """Build the statement for the commits of a query's jobs after a position, up to ``last``."""
    conditions, parameters = _attributes(query)
    if query.states:
        marks = _placeholders(query.states)
        conditions.append(f"(log.state_before IN ({marks}) OR log.state_after IN ({marks}))")
        parameters += [*query.states, *query.states]
    # CROSS JOIN makes SQLite scan by position, instead of looking up all jobs of the query first.
    where = " AND ".join(["position > ?", "position <= ?", *conditions])
    return f"{FEED} WHERE {where} ORDER BY position", [after, last, *parameters]


def notices(query: Query, after: int, last: int) -> tuple[str, list[Any]]:
    """Build the statement for the drop notices of a query's jobs after a position, up to ``last``."""
    where, parameters = _dropped_where(query)
    return (
        "SELECT position, first_sequence, job_key, job_id, owner, kind, parent_job_id FROM dropped_jobs "
        f"WHERE {where} AND position <= ?"
    ), [after, *parameters, last]


def dropped(query: Query, known: int) -> tuple[str, list[Any]]:
    """Build the statement for the newest dropped positions of a query's jobs, by payload mask.

    It covers jobs with a notice after the position ``known``.
    """
    where, parameters = _dropped_where(query)
    payloads = "payloads"
    states = state_mask(query.states)
    if states != ANY_STATE:  # see Drop.payloads_for
        payloads = f"CASE WHEN states & ~{states} THEN {ANY_PAYLOAD} ELSE payloads END"
        where += f" AND states & {states}"
    # CROSS JOIN: the jobs of the query first, then their drops by key.
    return (
        f"SELECT {payloads}, max(drops.position) FROM dropped_jobs CROSS JOIN drops USING (job_key) "
        f"WHERE {where} GROUP BY 1"
    ), [known, *parameters]


def forgotten(query: Query) -> tuple[str, list[Any]]:
    """Build the statement for the newest position of deleted jobs that are no longer recorded individually."""
    statement = "SELECT max(position) FROM forgotten_drops"
    if query.owners is None:
        return statement, []
    return f"{statement} WHERE owner IN ({_placeholders(query.owners)})", [*query.owners]


def listing(query: Query, common: Collection[str] = ()) -> tuple[str, list[Any]]:
    """Build the statement for the keys of a query's jobs; LISTED_JOB then reads each.

    Its limit is one row more than the query's, to detect a next page. ``common`` names the query's labels that many
    jobs have: SQLite checks these job by job, since a page fills soon; for other labels it collects the jobs first.
    """
    conditions, parameters = _conditions(query, common)
    if query.after is not None:
        conditions.append("job_key < ?" if query.newest_first else "job_key > ?")
        parameters.append(query.after)
    selects = []
    values: list[Any] = []
    for narrowed, narrowing in _union_parts(query):
        where = [*narrowed, *conditions]
        selects.append("SELECT job_key FROM jobs" + (f" WHERE {' AND '.join(where)}" if where else ""))
        values += [*narrowing, *parameters]
    order = f"ORDER BY job_key {'DESC' if query.newest_first else 'ASC'}"
    return f"{' UNION ALL '.join(selects)} {order} LIMIT ?", [*values, query.limit + 1]


def _union_parts(query: Query) -> list[tuple[list[str], list[Any]]]:
    """Return the conditions of each select with their parameters: one per owner, kind and state in the query.

    Each is a range of an index in the order of the list, so that SQLite merges them; with an IN over several values
    it would collect and sort everything before the first row.
    """
    choices: list[list[tuple[str, list[Any]]]] = []
    selects = 1
    for column, values in (("state", query.states), ("owner", query.owners), ("kind", query.kinds)):
        wanted: list[Any] = sorted(set(values or ()))
        if values and selects * len(wanted) <= _UNION_LIMIT:
            choices.append([(f"{column} = ?", [value]) for value in wanted])
            selects *= len(wanted)
        elif values or (column == "owner" and values is not None):
            choices.append([(f"{column} IN ({_placeholders(wanted)})", [*wanted])])
    return [
        ([condition for condition, _ in chosen], [value for _, values in chosen for value in values])
        for chosen in product(*choices)
    ]


def _dropped_where(query: Query) -> tuple[str, list[Any]]:
    """Return the condition for dropped_jobs of a query after a position, which is the first parameter."""
    conditions, parameters = _attributes(query, _HAD_LABEL)
    return " AND ".join(["dropped_jobs.position > ?", *conditions]), parameters


def _attributes(query: Query, label: str = _HAS_LABEL) -> tuple[list[str], list[Any]]:
    """Return the conditions of a query apart from states."""
    conditions, parameters = _conditions(query, label=label)
    if query.owners is not None:
        conditions.append(f"owner IN ({_placeholders(query.owners)})")
        parameters += query.owners
    if query.kinds:
        conditions.append(f"kind IN ({_placeholders(query.kinds)})")
        parameters += query.kinds
    return conditions, parameters


def _conditions(
    query: Query, common: Collection[str] = (), label: str = _HAS_LABEL
) -> tuple[list[str], list[Any]]:
    """Return the conditions of a query apart from owners, kinds and states."""
    conditions: list[str] = []
    parameters: list[Any] = []

    def where(condition: str, *values: Any) -> None:
        conditions.append(condition)
        parameters.extend(values)

    if query.parent_job_id and query.with_parent:
        where("(parent_job_id = ? OR job_id = ?)", query.parent_job_id, query.parent_job_id)
    elif query.parent_job_id:
        where("parent_job_id = ? AND parent_job_id <> ''", query.parent_job_id)
    if query.job_ids:
        where(f"job_id IN ({_placeholders(query.job_ids)})", *query.job_ids)
    for name, value in (query.labels or {}).items():
        where(_HAS_COMMON_LABEL if name in common else label, name, value)
    return conditions, parameters


def _placeholders(values: Any) -> str:
    return ", ".join("?" * len(values))
