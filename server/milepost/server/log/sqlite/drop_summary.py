"""Summary of dropped events, so that the server refuses a cursor over many jobs only if it misses some.

Per job that lost events it records the attributes that filters match, the newest dropped position by states and
payloads, and the newest notice. It outlives the job, within a bound: per owner it records a limited number of deleted
jobs, and of earlier ones only the newest position. An owner's deletions never count against a feed of another owner.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from milepost.server.log.event_log import Drop, DropNotice, job_attributes
from milepost.server.log.sqlite import statements
from milepost.server.log.sqlite.transaction import Transaction
from milepost.v1 import Job

DELETED_JOBS_LIMIT: Final = 100_000
"""Maximum number of deleted jobs that are recorded individually, per owner."""

# Records that one deletion removes beyond the limit: more than one, so that an excess after an upgrade disappears.
_FORGET_PER_DELETION = 2


def drops_before(connection: sqlite3.Connection, key: int, first_sequence: int) -> list[Drop]:
    """Return all drops of a job, including those of the commits that end before ``first_sequence``."""
    parameters = {"key": key, "first": first_sequence}
    return [Drop(*row) for row in connection.execute(statements.DROPS_BEFORE, parameters)]


def record_dropped(
    transaction: Transaction, key: int, job: Job, first_sequence: int, drops: Sequence[Drop]
) -> DropNotice:
    """Record a drop of a job's events before ``first_sequence``, or of the whole job if that is 0."""
    connection = transaction.connection
    position = transaction.next_position()
    attributes = job_attributes(job)._replace(max_events=0)
    connection.execute(
        statements.RECORD_DROPPED,
        (
            key,
            position,
            first_sequence,
            attributes.job_id,
            attributes.owner,
            attributes.kind,
            attributes.parent_job_id,
        ),
    )
    connection.executemany(
        statements.RECORD_LABEL, [(key, name, value) for name, value in attributes.labels.items()]
    )
    connection.executemany(statements.RECORD_DROP, [(key, *drop) for drop in drops])
    if not first_sequence:
        _count_deleted(connection, attributes.owner)
    return DropNotice(attributes, first_sequence, position, tuple(drops))


def _count_deleted(connection: sqlite3.Connection, owner: str) -> None:
    """Count a deleted job of the owner, and aggregate the oldest records beyond the limit."""
    (deleted, forgotten) = connection.execute(statements.COUNT_DELETED, (owner,)).fetchone()
    if deleted > DELETED_JOBS_LIMIT:
        oldest = connection.execute(statements.OLDEST_DELETED, (owner, _FORGET_PER_DELETION)).fetchall()
        for key, position in oldest:
            forgotten = max(forgotten, position)
            for statement in statements.FORGET_DROPPED:
                connection.execute(statement, (key,))
        connection.execute(statements.SET_FORGOTTEN, (deleted - len(oldest), forgotten, owner))
