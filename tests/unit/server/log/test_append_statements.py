"""What SQLite does for a commit that only changes a job."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from milepost.server.log.log_errors import Conflict
from milepost.server.log.sqlite.append import Append
from milepost.server.log.sqlite.schema import migrate
from milepost.server.log.sqlite.transaction import Transaction
from tests.support.commits import Author


@pytest.fixture(name="connection")
def _connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        yield connection


async def test_a_commit_collects_no_rows_in_tables_of_its_own(connection: sqlite3.Connection) -> None:
    """As RETURNING does: making such a table took a sixth of a commit's processor time."""
    author, transaction = Author("j"), Transaction(connection, 0)
    Append(author.submit()).write(transaction)
    statements: list[str] = []
    connection.set_trace_callback(statements.append)

    for commit in (author.start(), author.lines("a")):
        Append(commit).write(transaction)

    connection.set_trace_callback(None)
    connection.text_factory = bytes  # operands have the parameters in them
    programs = [[row[1] for row in connection.execute(f"EXPLAIN {statement}")] for statement in statements]
    assert [b"OpenEphemeral" in program for program in programs] == [False] * 4


async def test_a_commit_goes_into_the_log_of_its_own_job(connection: sqlite3.Connection) -> None:
    """Whichever job was written before it."""
    authors, transaction = [Author("a"), Author("b")], Transaction(connection, 0)

    for _ in range(2):
        for author in authors:
            Append(author.start() if author.events else author.submit()).write(transaction)

    found = connection.execute(
        "SELECT job_id, log.last_sequence FROM log JOIN jobs USING (job_key) ORDER BY position"
    )
    assert found.fetchall() == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


async def test_a_commit_that_does_not_follow_writes_nothing(connection: sqlite3.Connection) -> None:
    """Neither to a log that has other events, nor for a job that is not there."""
    author, transaction = Author("j"), Transaction(connection, 0)
    first, second = author.submit(), author.start()
    with pytest.raises(Conflict):
        Append(second).write(transaction)
    Append(first).write(transaction)
    Append(second).write(transaction)
    before = connection.total_changes

    with pytest.raises(Conflict):
        Append(second).write(transaction)

    assert (connection.total_changes, transaction.position) == (before, 2)
