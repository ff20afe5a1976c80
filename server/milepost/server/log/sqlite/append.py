"""How a commit is written: the job's row, the frames, the parent's count of its children."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from milepost.server.log.event_log import Appended, Commit, Conflict
from milepost.server.log.sqlite import statements
from milepost.server.log.sqlite.coalescing import Run
from milepost.server.log.sqlite.transaction import Transaction, Write

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
            (
                position,
                key,
                chunk.first,
                chunk.last,
                commit.state_before,
                commit.state,
                commit.payloads,
                chunk.frames,
            ),
        )
        return Appended(commit, position)


def together(group: Sequence[Write]) -> list[tuple[Write, list[Write]]]:
    """The writes in their order, each with those that it is made of: the commits of a job are joined where they can be.

    Of different jobs, what is appended at the same time has no order.
    """
    made: list[tuple[Run | None, list[Write]]] = []
    joinable: dict[str, tuple[Run, list[Write]]] = {}
    for write in group:
        if not isinstance(write, Append):
            joinable.clear()
            made.append((None, [write]))
            continue
        run, parts = joinable.get(write.commit.job_id, (None, []))
        if run is not None and run.take(write.commit):
            parts.append(write)
        else:
            run, parts = Run(write.commit), [write]
            joinable[write.commit.job_id] = run, parts
            made.append((run, parts))
    return [
        (Append(run.joined()) if run is not None and len(parts) > 1 else parts[0], parts)
        for run, parts in made
    ]


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
