"""The rows of past runs: which kinds are forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from milepost.server.log.sqlite import run_rows
from milepost.server.log.sqlite.schema import migrate
from milepost.server.log.stored_runs import StoredRun


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A database for few kinds."""
    monkeypatch.setattr(run_rows, "KIND_LIMIT", 6)
    monkeypatch.setattr(run_rows, "OWNER_KIND_LIMIT", 4)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        migrate(opened)
        yield opened


def record(connection: sqlite3.Connection, *kinds: str) -> None:
    """Runs of these kinds, each ``owner/kind``, one after the other."""
    for position, name in enumerate(kinds, 1):
        owner, _, kind = name.partition("/")
        run_rows.record_runs(connection, owner, kind, [StoredRun(position, b"")])


def known(connection: sqlite3.Connection) -> list[str]:
    """The kinds with runs, the latest first."""
    return ["/".join(row) for row in run_rows.recent_kinds(connection, 100)]


def test_an_owner_with_many_kinds_forgets_its_own(connection: sqlite3.Connection) -> None:
    """Those whose latest run is the oldest."""
    record(connection, "b/1", "a/1", "a/2", "a/3", "a/4", "a/1", "a/5")
    assert known(connection) == ["a/5", "a/1", "a/4", "a/3", "b/1"]


def test_the_kinds_of_a_store_are_bounded(connection: sqlite3.Connection) -> None:
    """And nothing is left of those that are forgotten."""
    record(connection, *(f"{owner}/1" for owner in "abcdefgh"))
    assert known(connection) == ["h/1", "g/1", "f/1", "e/1", "d/1", "c/1"]
    assert connection.execute("SELECT count(*) FROM runs").fetchone() == (6,)


def test_runs_are_kept_by_their_positions(connection: sqlite3.Connection) -> None:
    """Whatever their order, and each once."""
    for position in (3, 1, 2, 3):
        run_rows.record_runs(connection, "a", "k", [StoredRun(position, bytes([position]))])
    assert [stored.position for stored in run_rows.read_runs(connection, "a", "k")] == [1, 2, 3]
