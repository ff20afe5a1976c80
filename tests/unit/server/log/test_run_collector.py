"""Collecting runs from the log: readers see the same before and after, and look through a bounded part of the log."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing

import pytest

from milepost.server.log.sqlite import run_collector, run_rows
from milepost.server.log.sqlite.append import Append
from milepost.server.log.sqlite.pruning import Delete, Trim
from milepost.server.log.sqlite.run_collector import COMMITS, INTERVAL, RUNS
from milepost.server.log.sqlite.schema import migrate
from milepost.server.log.sqlite.transaction import Transaction
from milepost.server.log.stored_runs import RUN_LIMIT
from tests.support.commits import Author


@pytest.fixture
async def transaction() -> AsyncIterator[Transaction]:
    """A transaction of a new database, with nothing from before to collect."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        transaction = Transaction(connection, 0)
        transaction.runs.collect()
        yield transaction


def end(transaction: Transaction, job_id: str, run: bytes) -> None:
    """A job that ends with this run."""
    author = Author(job_id)
    for commit in (author.submit(), author.start(), author.succeed()._replace(run=run)):
        Append(commit).write(transaction)


def runs(transaction: Transaction) -> list[bytes]:
    """The runs that readers see."""
    return [stored.run for stored in run_rows.read_runs(transaction.connection, "", "k")]


def collected(transaction: Transaction) -> int:
    """Runs in the table."""
    (count,) = transaction.connection.execute("SELECT count(*) FROM runs").fetchone()
    return int(count)


def uncollected_commits(transaction: Transaction) -> int:
    """Commits that a reader looks through."""
    (count,) = transaction.connection.execute(
        "SELECT count(*) FROM log WHERE position > (SELECT CAST(value AS INTEGER) FROM meta WHERE name = ?)",
        ["collected_runs"],
    ).fetchone()
    return int(count)


async def test_readers_see_a_run_before_it_is_collected_and_after(transaction: Transaction) -> None:
    """The latest ones, each once, in order."""
    for number in range(RUNS):
        assert not transaction.runs.is_due
        end(transaction, f"j{number}", bytes([number]))
    before = runs(transaction), collected(transaction)
    assert transaction.runs.is_due
    transaction.runs.collect()

    latest = [bytes([number]) for number in range(RUNS - RUN_LIMIT, RUNS)]
    assert before == (latest, 0)
    assert (runs(transaction), collected(transaction)) == (latest, RUN_LIMIT)
    assert not transaction.runs.is_due


async def test_a_part_is_collected(transaction: Transaction) -> None:
    """Readers see runs of the table and of the log together."""
    end(transaction, "a", b"a")
    transaction.runs.collect()
    end(transaction, "b", b"b")
    assert (runs(transaction), collected(transaction)) == ([b"a", b"b"], 1)
    assert run_rows.recent_kinds(transaction.connection, 5) == [("", "k")]


@pytest.mark.parametrize("drop", [Trim("a", 10), Delete("a")], ids=["trimmed", "deleted"])
async def test_a_run_outlives_the_commit_that_has_it(transaction: Transaction, drop: Trim | Delete) -> None:
    """A trimmed or deleted log has its run collected before."""
    end(transaction, "a", b"a")
    drop.write(transaction)
    assert (runs(transaction), collected(transaction)) == ([b"a"], 1)


async def test_what_was_rolled_back_is_collected_again(transaction: Transaction) -> None:
    """Otherwise readers would miss it for good, once later commits are collected."""
    end(transaction, "a", b"a")
    transaction.begin()
    transaction.runs.collect()
    transaction.roll_back()
    transaction.runs.collect()
    assert (runs(transaction), collected(transaction)) == ([b"a"], 1)


async def test_what_a_full_disk_has_rolled_back_is_collected_again(transaction: Transaction) -> None:
    """SQLite may roll back by itself then, which leaves nothing for the writer to roll back."""
    end(transaction, "a", b"a")
    author = Author("b")
    Append(author.submit()).write(transaction)
    (pages,) = transaction.connection.execute("PRAGMA page_count").fetchone()
    transaction.connection.execute(f"PRAGMA max_page_count = {pages}")
    transaction.begin()
    transaction.runs.collect()
    with pytest.raises(sqlite3.OperationalError, match="full"):
        Append(author.lines("x" * 60_000)).write(transaction)
    assert not transaction.connection.in_transaction
    transaction.roll_back()
    transaction.connection.execute("PRAGMA max_page_count = 1000000")
    for _ in range(COMMITS):
        transaction.runs.note(b"")
    assert transaction.runs.is_due
    transaction.runs.collect()
    assert (runs(transaction), collected(transaction)) == ([b"a"], 1)


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """See ``time``."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the collector."""
    made = Clock()
    monkeypatch.setattr(run_collector, "time", made)
    return made


async def test_writes_that_fail_put_no_collection_off(transaction: Transaction, clock: Clock) -> None:
    """However often they do, such as those that cannot begin since another process has the database locked."""
    end(transaction, "a", b"a")
    for _ in range(3):
        clock.now += INTERVAL / 2
        transaction.begin()
        transaction.roll_back()
    assert transaction.runs.is_due
    transaction.runs.collect()
    while not transaction.runs.is_due:
        transaction.runs.note(b"")
        transaction.begin()
        transaction.roll_back()
    assert transaction.runs._commits == COMMITS


async def test_drops_that_fail_put_no_collection_off(transaction: Transaction, clock: Clock) -> None:
    """They collect first, which is undone with them, at whatever intervals; a run that came then is no later one."""
    end(transaction, "a", b"a")
    were_due = []
    for _ in range(4):
        clock.now += INTERVAL / 2
        were_due.append(transaction.runs.is_due)
        transaction.begin()
        Delete("a").write(transaction)
        transaction.runs.note(b"b")
        transaction.roll_back()
    assert were_due == [False, True, False, True]


async def test_a_collection_that_was_due_and_failed_is_repeated_later(
    transaction: Transaction, clock: Clock
) -> None:
    """A disk without room for it may have room for writes without it, however many of them it puts off."""
    for _ in range(COMMITS):
        transaction.runs.note(b"a")
    for _ in range(3):
        assert transaction.runs.is_due
        transaction.begin()
        transaction.runs.collect()
        transaction.roll_back()
        transaction.runs.note(b"a")
        assert not transaction.runs.is_due
        clock.now += INTERVAL


async def test_a_new_process_collects_what_an_earlier_one_left(transaction: Transaction) -> None:
    """With its first commit."""
    end(transaction, "a", b"a")
    later = Transaction(transaction.connection, transaction.position)
    assert later.runs.is_due
    later.runs.collect()
    assert (runs(later), collected(later)) == ([b"a"], 1)


async def test_commits_without_runs_are_passed_over(transaction: Transaction) -> None:
    """So that readers do not look through a log of long jobs again and again."""
    author = Author("a")
    for commit in (author.submit(), author.start()):
        Append(commit).write(transaction)
    while not transaction.runs.is_due:
        Append(author.lines("more")).write(transaction)
    assert uncollected_commits(transaction) == COMMITS
    transaction.runs.collect()
    assert uncollected_commits(transaction) == 0
