"""Coalescing: which commits of a job become one, and its content."""

from __future__ import annotations

from pathlib import Path

import pytest

from milepost.server.log.coalescing import coalesce
from milepost.server.log.event_log import Commit
from milepost.server.log.sqlite import wal_reserve
from milepost.server.log.sqlite.append import Append, coalesce_writes
from milepost.server.log.sqlite.pruning import Trim
from milepost.server.log.sqlite.sqlite_log import SqliteEventLog
from milepost.server.log.sqlite.transaction import Write
from tests.support.commits import Author, put_in_turn


def started(job_id: str = "j") -> Author:
    """A running job with a running stage."""
    author = Author(job_id)
    author.submit()
    author.start()
    author.stage("s")
    return author


def merged(*commits: Commit) -> list[Commit]:
    """Coalesce the commits."""
    return [batch.merged() for batch in coalesce(commits)]


async def test_coalesced_commits_equal_one_commit() -> None:
    """It has the state before the first commit, and the job after the last."""
    author = started()
    first, second, third = author.progress(1), author.lines("a"), author.progress(4)

    assert [
        third._replace(
            chunk=third.chunk._replace(
                first=first.chunk.first,
                frames=first.chunk.frames + second.chunk.frames + third.chunk.frames,
            ),
            fraction_before=0.0,
            payloads=first.payloads | second.payloads,
        )
    ] == merged(first, second, third)


async def test_reports_that_were_refused_are_joined_too() -> None:
    """They have no events, and their numbers count."""
    author = started()
    line, refused = author.lines("a"), author.refused(3)

    assert [refused._replace(chunk=line.chunk, payloads=line.payloads)] == merged(line, refused)


async def test_a_state_transition_is_not_coalesced() -> None:
    """Listeners get the job as of that transition."""
    author = Author("j")
    commits = [author.submit(), author.start(), author.lines("a"), author.lines("b"), author.succeed()]

    assert [*commits[:2], *merged(*commits[2:4]), commits[4]] == merged(*commits)


async def test_commits_that_do_not_follow_are_not_coalesced() -> None:
    """A commit that does not follow conflicts; those before it do not."""
    author, other = started(), started()
    line, stale = author.lines("a"), other.lines("b")

    assert [line, stale] == merged(line, stale)


async def test_a_commit_stays_small() -> None:
    """A commit is read and sent as a whole."""
    author = started()
    commits = [author.lines("x" * 1000) for _ in range(40)]
    made = merged(*commits)

    assert [commit.chunk.last - commit.chunk.first + 1 for commit in made] == [15, 15, 10]
    assert all(len(commit.chunk.frames) <= 16 * 1024 for commit in made)


async def test_jobs_are_written_side_by_side() -> None:
    """Commits of other jobs in between do not separate two commits of a job; drops do."""
    a, b = started("a"), started("b")
    writes: list[Write] = [
        Append(a.lines("1")),
        Append(b.lines("1")),
        Append(a.lines("2")),
        Append(b.lines("2")),
    ]
    trim = Trim("a", 2)
    last = Append(a.lines("3"))

    assert [[writes[0], writes[2]], [writes[1], writes[3]], [trim], [last]] == [
        parts for _, parts in coalesce_writes([*writes, trim, last])
    ]


async def test_a_commit_that_keeps_the_state_writes_three_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row, the row's index entry and the job's row; no index of states, since the state is unchanged."""
    monkeypatch.setattr(wal_reserve, "RESERVE_SIZE", 0)
    author = Author("j")
    log = SqliteEventLog(tmp_path)
    await put_in_turn(log, author.submit(), author.start(), author.stage("s"), author.progress(1))
    written = (tmp_path / "milepost.db-wal").stat().st_size

    await put_in_turn(log, *(author.progress(number) for number in range(2, 7)))

    page = 4096 + 24  # with its header in the write-ahead log
    assert (tmp_path / "milepost.db-wal").stat().st_size - written == 5 * 3 * page
    await log.close()
