"""The rows of past runs: the latest of each kind, whatever their order, of a bounded number of kinds."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from milepost.server.log.sqlite import statements
from milepost.server.log.stored_runs import KIND_LIMIT, OWNER_KIND_LIMIT, RUN_LIMIT, StoredRun

_FIND_KIND: Final = "SELECT history_key FROM histories WHERE owner = ? AND kind = ?"
_INSERT_KIND: Final = "INSERT INTO histories (owner, kind) VALUES (?, ?) RETURNING history_key"
_INSERT_RUN: Final = "INSERT OR IGNORE INTO runs (history_key, position, run) VALUES (?, ?, ?)"
_DELETE_OLDER: Final = f"""
    DELETE FROM runs WHERE history_key = ?1 AND position <= (
        SELECT position FROM runs WHERE history_key = ?1 ORDER BY position DESC LIMIT 1 OFFSET {RUN_LIMIT}
    )
"""
_LATEST: Final = "(SELECT max(position) FROM runs WHERE runs.history_key = histories.history_key)"
_COUNT: Final = "SELECT count(*) FROM histories"
_OLDEST: Final = "SELECT history_key FROM histories {} ORDER BY " + _LATEST + " DESC LIMIT -1 OFFSET ?"
_OF_OWNER: Final = "WHERE owner = ?"
_DELETE_KIND: Final = (
    "DELETE FROM runs WHERE history_key = ?",
    "DELETE FROM histories WHERE history_key = ?",
)
_COLLECTED_NAME: Final = "collected_runs"
_COLLECTED: Final = f"coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = '{_COLLECTED_NAME}'), 0)"
"""The position up to which the table has the runs of the log."""
# CROSS JOIN: by position, and the jobs of the few commits that have a run.
_UNCOLLECTED: Final = f"""
    SELECT position, run, owner, kind FROM log CROSS JOIN jobs USING (job_key)
    WHERE position > {_COLLECTED} AND run IS NOT NULL
"""
_SELECT_LAST_POSITION: Final = "SELECT coalesce(max(position), 0) FROM log"
_RUNS: Final = f"""
    SELECT position, run FROM histories JOIN runs USING (history_key) WHERE owner = ?1 AND kind = ?2
    UNION ALL
    SELECT position, run FROM ({_UNCOLLECTED}) WHERE owner = ?1 AND kind = ?2
"""
_LINK: Final = "UPDATE jobs SET run_position = ? WHERE job_key = ?"
_RUN_OF_JOB: Final = f"""
    SELECT position, run FROM jobs JOIN histories USING (owner, kind) JOIN runs USING (history_key)
    WHERE job_key = ?1 AND position = coalesce(
        run_position, (SELECT position FROM log WHERE log.job_key = ?1 AND log.last_sequence = jobs.last_sequence)
    )
    UNION ALL
    SELECT position, run FROM jobs JOIN log USING (job_key, last_sequence)
    WHERE job_key = ?1 AND position > {_COLLECTED} AND run IS NOT NULL
    LIMIT 1
"""
_RECENT_KINDS: Final = f"""
    SELECT owner, kind FROM (
        SELECT owner, kind, {_LATEST} AS latest FROM histories
        UNION ALL
        SELECT owner, kind, position FROM ({_UNCOLLECTED})
    ) GROUP BY owner, kind ORDER BY max(latest) DESC LIMIT ?
"""


def record_runs(connection: sqlite3.Connection, owner: str, kind: str, runs: Sequence[StoredRun]) -> None:
    """Record runs of a kind, and forget the oldest runs and kinds beyond the bounds."""
    row = connection.execute(_FIND_KIND, (owner, kind)).fetchone()
    is_new = row is None
    if is_new:
        row = connection.execute(_INSERT_KIND, (owner, kind)).fetchone()
    key: int = row[0]
    connection.executemany(_INSERT_RUN, [(key, *stored) for stored in runs])
    connection.execute(_DELETE_OLDER, (key,))
    if is_new:
        _forget_beyond(connection, OWNER_KIND_LIMIT, _OF_OWNER, (owner,))
        _forget_beyond(connection, KIND_LIMIT, "", ())


def collect_runs(connection: sqlite3.Connection) -> None:
    """Record the runs that came into the log since the last time."""
    latest: dict[tuple[str, str], list[StoredRun]] = {}
    for position, run, owner, kind in connection.execute(f"{_UNCOLLECTED} ORDER BY position").fetchall():
        latest.setdefault((owner, kind), []).append(StoredRun(position, run))
    for (owner, kind), runs in latest.items():
        record_runs(connection, owner, kind, runs[-RUN_LIMIT:])


def skip_commits(connection: sqlite3.Connection) -> None:
    """Note that the table has the runs of all commits that are in the log now."""
    (last,) = connection.execute(_SELECT_LAST_POSITION).fetchone()
    connection.execute(statements.SET_META, (_COLLECTED_NAME, last))


def link_run(connection: sqlite3.Connection, job_key: int, position: int) -> None:
    """Note which run is that of a job whose log may not have it any more."""
    connection.execute(_LINK, (position, job_key))


def _forget_beyond(
    connection: sqlite3.Connection, limit: int, condition: str, parameters: tuple[str, ...]
) -> None:
    """Forget the kinds with the oldest runs; a tenth of them at once, since finding them looks at all."""
    (count,) = connection.execute(f"{_COUNT} {condition}", parameters).fetchone()
    if count <= limit:
        return
    rows = connection.execute(_OLDEST.format(condition), (*parameters, limit - limit // 10)).fetchall()
    for row in rows:
        for statement in _DELETE_KIND:
            connection.execute(statement, row)


def read_runs(connection: sqlite3.Connection, owner: str, kind: str) -> list[StoredRun]:
    """The runs of a kind, oldest first."""
    # A drop in a stream may record the run of a commit that is still in the log.
    found = dict(connection.execute(_RUNS, (owner, kind)).fetchall())
    return [StoredRun(position, found[position]) for position in sorted(found)[-RUN_LIMIT:]]


def run_of_job(connection: sqlite3.Connection, job_key: int) -> StoredRun | None:
    """The run of a job that has ended, while it is among the latest of its kind."""
    row = connection.execute(_RUN_OF_JOB, (job_key,)).fetchone()
    return None if row is None else StoredRun(*row)


def recent_kinds(connection: sqlite3.Connection, limit: int) -> list[tuple[str, str]]:
    """Owner and kind of those with the most recent runs, the latest first."""
    return connection.execute(_RECENT_KINDS, (limit,)).fetchall()
