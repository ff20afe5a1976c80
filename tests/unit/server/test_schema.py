"""The schema: how a database comes to be as this version wants it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from milepost.server.log import schema
from milepost.server.log.schema import SchemaTooNew, migrate


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database with nothing in it."""
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as opened:
        yield opened


def version(connection: sqlite3.Connection) -> int:
    """What the database says of itself."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def tables(connection: sqlite3.Connection) -> set[str]:
    """Their names."""
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_a_new_database_gets_the_newest_schema(connection: sqlite3.Connection) -> None:
    """From version 0."""
    migrate(connection)

    assert len(schema.MIGRATIONS) == version(connection)
    assert {"jobs", "log", "inputs", "labels", "meta"} <= tables(connection)


def test_migrating_again_changes_nothing(connection: sqlite3.Connection) -> None:
    """It is done at each start."""
    migrate(connection)
    connection.execute("INSERT INTO meta (name, value) VALUES ('a', 'b')")
    migrate(connection)

    assert [("a", "b")] == connection.execute("SELECT * FROM meta").fetchall()


def test_an_older_database_goes_through_the_steps_it_lacks(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each once, in order, and only those."""
    monkeypatch.setattr(
        schema, "MIGRATIONS", ("CREATE TABLE a (x)", "CREATE TABLE b (x); INSERT INTO b VALUES (2)")
    )
    connection.execute("PRAGMA user_version = 1")
    migrate(connection)

    assert (2, {"b"}) == (version(connection), tables(connection))


def test_a_step_that_fails_is_not_half_done(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database stays at the version before."""
    monkeypatch.setattr(schema, "MIGRATIONS", ("CREATE TABLE a (x)", "CREATE TABLE b (x); NONSENSE"))
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection)
    connection.execute("ROLLBACK")

    assert (1, {"a"}) == (version(connection), tables(connection))


def test_a_newer_database_is_refused(connection: sqlite3.Connection) -> None:
    """Nobody here knows what it is like."""
    newer = len(schema.MIGRATIONS) + 1
    connection.execute(f"PRAGMA user_version = {newer}")

    with pytest.raises(SchemaTooNew, match=f"version {newer}"):
        migrate(connection)
    assert (newer, set()) == (version(connection), tables(connection))
