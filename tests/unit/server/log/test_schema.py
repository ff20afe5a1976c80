"""The schema, and the migrations of older databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from milepost.server.log.event_log import Query
from milepost.server.log.sqlite import schema
from milepost.server.log.sqlite.reader import Reader
from milepost.server.log.sqlite.schema import SchemaTooNew, migrate
from milepost.server.messages.payloads import ANY_PAYLOAD
from milepost.v1 import Job


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty database."""
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as opened:
        yield opened


def version(connection: sqlite3.Connection) -> int:
    """The schema version of the database."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def tables(connection: sqlite3.Connection) -> set[str]:
    """The names of the tables."""
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_a_new_database_gets_the_newest_schema(connection: sqlite3.Connection) -> None:
    """From version 0."""
    migrate(connection)

    assert len(schema.MIGRATIONS) == version(connection)
    assert {"jobs", "log", "inputs", "labels", "meta"} <= tables(connection)


def test_migrating_again_changes_nothing(connection: sqlite3.Connection) -> None:
    """Migrations run at each start."""
    migrate(connection)
    connection.execute("INSERT INTO meta (name, value) VALUES ('a', 'b')")
    migrate(connection)

    assert connection.execute("SELECT * FROM meta").fetchall() == [("a", "b")]


def test_an_older_database_goes_through_the_steps_it_lacks(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step once, in order."""
    monkeypatch.setattr(
        schema, "MIGRATIONS", ("CREATE TABLE a (x)", "CREATE TABLE b (x); INSERT INTO b VALUES (2)")
    )
    connection.execute("PRAGMA user_version = 1")
    migrate(connection)

    assert (version(connection), tables(connection)) == (2, {"b"})


def test_a_step_that_fails_is_not_half_done(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database stays at the version before."""
    monkeypatch.setattr(schema, "MIGRATIONS", ("CREATE TABLE a (x)", "CREATE TABLE b (x); NONSENSE"))
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection)
    connection.execute("ROLLBACK")

    assert (version(connection), tables(connection)) == (1, {"a"})


def test_a_newer_database_is_refused(connection: sqlite3.Connection) -> None:
    """Its schema is unknown."""
    newer = len(schema.MIGRATIONS) + 1
    connection.execute(f"PRAGMA user_version = {newer}")

    with pytest.raises(SchemaTooNew, match=f"version {newer}"):
        migrate(connection)
    assert (newer, set()) == (version(connection), tables(connection))


def test_what_was_dropped_before_is_known_by_job(connection: sqlite3.Connection) -> None:
    """Version 2 has only the jobs that lost events; so any event up to a position may be missing."""
    for number, migration in enumerate(schema.MIGRATIONS[:2], 1):
        connection.executescript(f"{migration}; PRAGMA user_version = {number};")
    connection.execute("INSERT INTO meta (name, value) VALUES ('dropped', '70')")
    connection.execute(
        "INSERT INTO jobs (job_key, job_id, owner, kind, parent_job_id, request_id, state, first_sequence,"
        " last_sequence, report_sequence, time, job) VALUES (7, 'lives', 'a', 'k', '', '', 2, 9, 20, 0, 0, x'')"
    )
    connection.execute("INSERT INTO log VALUES (60, 7, 9, 20, 2, 2, x'00')")
    for position, first, job in (
        (20, 5, Job(job_id="lives", owner="a", kind="k")),
        (40, 9, Job(job_id="lives", owner="a", kind="k")),
        (50, 3, Job(job_id="gone", owner="b", kind="k", parent_job_id="p", labels={"l": "ä", "m": "2"})),
        (80, 0, Job(job_id="gone", owner="b", kind="k", parent_job_id="p", labels={"l": "ä", "m": "2"})),
    ):
        connection.execute("INSERT INTO notices VALUES (?, ?, ?)", (position, first, job.SerializeToString()))
    migrate(connection)

    reader = Reader(connection, "epoch")
    document = {
        name: reader.dropped(query)
        for name, query in {
            "a": Query(owners=["a"]),
            "b": Query(owners=["b"]),
            "c": Query(owners=["c"]),
            "labels": Query(labels={"l": "ä", "m": "2"}),
            "parent": Query(parent_job_id="p"),
            "states": Query(owners=["a"], states=[4]),
        }.items()
    }
    assert document == {
        "a": {ANY_PAYLOAD: 39},
        "b": {ANY_PAYLOAD: 70},
        "c": {},
        "labels": {ANY_PAYLOAD: 70},
        "parent": {ANY_PAYLOAD: 70},
        "states": {ANY_PAYLOAD: 39},
    }
    assert [entry.position for entry in reader.read_feed(Query(), 0, 1 << 20, 0).entries] == [40, 60, 80]
    assert "notices" not in tables(connection)
