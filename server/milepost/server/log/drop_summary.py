"""What is remembered of dropped events, so that a cursor over many jobs is refused only where it misses some.

Of each job that lost events: what filters ask for, the newest dropped position by states and payloads, and the newest
notice. It outlives the job, but not for ever: of each owner so many deleted jobs are remembered, and of earlier ones
only up to which position they reach. So what it takes is bounded, and nobody's deletions count against a feed of
another owner.
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
"""How many deleted jobs of an owner are remembered one by one."""

# How many are forgotten with each deletion: more than one, so that what is too many after an upgrade goes away.
_FORGET_PER_DELETION = 2


def drops_before(connection: sqlite3.Connection, key: int, first_sequence: int) -> list[Drop]:
    """All drops of a job once the commits that end before ``first_sequence`` are dropped, too."""
    parameters = {"key": key, "first": first_sequence}
    return [Drop(*row) for row in connection.execute(statements.DROPS_BEFORE, parameters)]


def record_dropped(
    transaction: Transaction, key: int, job: Job, first_sequence: int, drops: Sequence[Drop]
) -> DropNotice:
    """Writes down what was dropped of a job: its events before ``first_sequence``, or all of it where that is 0."""
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
    forgotten = 0 if first_sequence else _count_deleted(connection, attributes.owner)
    return DropNotice(attributes, first_sequence, position, tuple(drops), forgotten)


def _count_deleted(connection: sqlite3.Connection, owner: str) -> int:
    """Counts one more deleted job of the owner, and forgets the oldest where there are too many; see ``Notice``."""
    (deleted, forgotten) = connection.execute(statements.COUNT_DELETED, (owner,)).fetchone()
    if deleted > DELETED_JOBS_LIMIT:
        oldest = connection.execute(statements.OLDEST_DELETED, (owner, _FORGET_PER_DELETION)).fetchall()
        for key, position in oldest:
            forgotten = max(forgotten, position)
            for statement in statements.FORGET_DROPPED:
                connection.execute(statement, (key,))
        connection.execute(statements.SET_FORGOTTEN, (deleted - len(oldest), forgotten, owner))
    return int(forgotten)
