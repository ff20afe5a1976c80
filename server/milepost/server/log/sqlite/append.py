"""Writing a commit: the job's row, its frames, and the parent's counts of children."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from milepost.server.log.coalescing import CommitBatch
from milepost.server.log.event_log import FRACTION_SCALE, Commit, DurableCommit
from milepost.server.log.log_errors import Conflict
from milepost.server.log.sqlite import statements
from milepost.server.log.sqlite.transaction import Transaction, Write


class Append(NamedTuple):
    """The write of a commit. ``key`` is the store's key for a new job; None for the next free one."""

    commit: Commit
    key: int | None = None

    def write(self, transaction: Transaction) -> DurableCommit | None:
        """See ``Write``."""
        commit = self.commit
        chunk = commit.chunk
        if commit.submission is None:
            is_written = _update(transaction, commit)
        else:
            is_written = _insert(transaction, commit, self.key)
        if not is_written:
            raise Conflict(commit.job_id)
        if commit.attributes.parent_job_id:
            _update_parent_counts(transaction, commit)
        if not chunk.frames:
            return None
        position = transaction.next_position()
        transaction.execute(
            statements.APPEND_CHUNK,
            (
                position,
                commit.attributes.job_id,
                chunk.first,
                chunk.last,
                commit.state_before,
                commit.state,
                commit.payloads,
                chunk.frames,
                commit.run or None,
            ),
        )
        transaction.runs.note(commit.run)
        return DurableCommit(commit, position)


def coalesce_writes(group: Sequence[Write]) -> list[tuple[Write, list[Write]]]:
    """Coalesce the commits of each job; return the resulting writes in order, each with the writes that it replaces.

    Simultaneous appends to different jobs have no order among each other.
    """
    if len(group) == 1:  # the common case while the store keeps up
        return [(group[0], [group[0]])]
    batches: list[tuple[CommitBatch | None, list[Write]]] = []
    open_batches: dict[str, tuple[CommitBatch, list[Write]]] = {}
    for write in group:
        if not isinstance(write, Append):
            open_batches.clear()
            batches.append((None, [write]))
            continue
        batch, parts = open_batches.get(write.commit.job_id, (None, []))
        if batch is not None and batch.try_add(write.commit):
            parts.append(write)
        else:
            batch, parts = CommitBatch(write.commit), [write]
            open_batches[write.commit.job_id] = batch, parts
            batches.append((batch, parts))
    return [
        (Append(batch.merged()) if batch is not None and len(parts) > 1 else parts[0], parts)
        for batch, parts in batches
    ]


def _update(transaction: Transaction, commit: Commit) -> bool:
    """Update the job's row; False where the job is another, or has had other events."""
    chunk = commit.chunk
    values = (chunk.last, commit.report_sequence, commit.time, commit.job, commit.job_id, chunk.first - 1)
    if commit.is_transition:
        changed = (commit.state, commit.time if commit.ends else None)
        updated = transaction.execute(statements.UPDATE_JOB_AND_STATE, changed + values)
    else:
        updated = transaction.execute(statements.UPDATE_JOB, values)
    return updated.rowcount == 1


def _insert(transaction: Transaction, commit: Commit, key: int | None) -> bool:
    """Insert the job's row; False where its id or its request is taken."""
    assert commit.submission is not None
    submission, attributes = commit.submission, commit.attributes
    connection = transaction.connection
    row: tuple[int] | None = connection.execute(
        statements.INSERT_JOB,
        (
            key,
            attributes.job_id,
            attributes.owner,
            attributes.kind,
            attributes.parent_job_id,
            submission.request_id,
            commit.state,
            commit.chunk.last,
            commit.report_sequence,
            commit.time,
            commit.job,
        ),
    ).fetchone()
    if row is None:
        return False
    if submission.input is not None:
        connection.execute(statements.INSERT_INPUT, (row[0], submission.input))
    if attributes.labels:
        connection.executemany(
            statements.INSERT_LABEL, [(name, value, row[0]) for name, value in attributes.labels.items()]
        )
    return True


def _update_parent_counts(transaction: Transaction, commit: Commit) -> None:
    before = 0 if commit.submission is not None else round(commit.fraction_before * FRACTION_SCALE)
    after = FRACTION_SCALE if commit.ends else round(commit.fraction * FRACTION_SCALE)
    created = int(commit.submission is not None)
    if created or commit.ends or before != after:
        transaction.connection.execute(
            statements.COUNT_CHILD,
            (created, int(commit.ends), after - before, commit.attributes.parent_job_id),
        )
