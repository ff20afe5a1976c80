"""How a commit is written: the job's row, the frames, the parent's count of its children."""

from __future__ import annotations

from typing import NamedTuple

from milepost.server.log import statements
from milepost.server.log.event_log import Appended, Commit, Conflict
from milepost.server.log.writer import Transaction

# Children's fractions are summed as whole numbers, so that a sum that is kept over a million changes is still right.
WHOLE = 1_000_000


class Append(NamedTuple):
    """Writes a commit. ``key`` is what a new job is known by within the store; None for the next one."""

    commit: Commit
    key: int | None = None

    def write(self, transaction: Transaction) -> Appended | None:
        """See ``Write``."""
        commit = self.commit
        chunk = commit.chunk
        key = (
            _insert(transaction, commit, self.key)
            if commit.submission is not None
            else _update(transaction, commit)
        )
        if key is None:
            raise Conflict(commit.job_id)
        if commit.facts.parent_job_id:
            _tell_parent(transaction, commit)
        if not chunk.frames:
            return None
        position = transaction.next_position()
        transaction.connection.execute(
            statements.INSERT_CHUNK,
            (position, key, chunk.first, chunk.last, commit.state_before, commit.state, chunk.frames),
        )
        return Appended(commit, position)


def _update(transaction: Transaction, commit: Commit) -> int | None:
    row: tuple[int] | None = transaction.connection.execute(
        statements.UPDATE_JOB,
        (
            commit.state,
            commit.chunk.last,
            commit.report_sequence,
            commit.time,
            commit.time if commit.ends else None,
            commit.job,
            commit.job_id,
            commit.chunk.first - 1,
        ),
    ).fetchone()
    return None if row is None else row[0]


def _insert(transaction: Transaction, commit: Commit, key: int | None) -> int | None:
    assert commit.submission is not None
    submitted = commit.submission.job_submitted
    facts = commit.facts
    connection = transaction.connection
    row: tuple[int] | None = connection.execute(
        statements.INSERT_JOB,
        (
            key,
            facts.job_id,
            facts.owner,
            facts.kind,
            facts.parent_job_id,
            submitted.request_id,
            commit.state,
            commit.chunk.last,
            commit.report_sequence,
            commit.time,
            commit.job,
        ),
    ).fetchone()
    if row is None:
        return None
    if submitted.job.HasField("input"):
        connection.execute(statements.INSERT_INPUT, (row[0], submitted.job.input.SerializeToString()))
    if facts.labels:
        connection.executemany(
            statements.INSERT_LABEL, [(name, value, row[0]) for name, value in facts.labels.items()]
        )
    return row[0]


def _tell_parent(transaction: Transaction, commit: Commit) -> None:
    before = 0 if commit.submission is not None else round(commit.fraction_before * WHOLE)
    after = WHOLE if commit.ends else round(commit.fraction * WHOLE)
    born = int(commit.submission is not None)
    if born or commit.ends or before != after:
        transaction.connection.execute(
            statements.COUNT_CHILD, (born, int(commit.ends), after - before, commit.facts.parent_job_id)
        )
