"""The contract of ``EventLog``: the runs that estimates rest on."""

from __future__ import annotations

from collections.abc import Sequence

from milepost.server.log.event_log import DurableCommit, Entry, EventLog
from milepost.server.log.stored_runs import RUN_LIMIT, StoredRun
from tests.contract.conftest import Open
from tests.support.commits import Author, put_in_turn


async def end(log: EventLog, job_id: str, run: bytes, **request: object) -> None:
    """A job that ends with this run."""
    author = Author(job_id, **request)
    await put_in_turn(log, author.submit(), author.start(), author.succeed()._replace(run=run))


def runs_of(log: EventLog) -> list[StoredRun]:
    """Collect the runs of all entries from now on."""
    runs: list[StoredRun] = []

    def collect(entries: Sequence[Entry]) -> None:
        runs.extend(
            StoredRun(entry.position, entry.commit.run)
            for entry in entries
            if isinstance(entry, DurableCommit) and entry.commit.run
        )

    log.add_listener(collect)
    return runs


async def test_the_latest_runs_of_a_kind_are_kept(log: EventLog) -> None:
    """Oldest first, each with the position of its end; those of another owner or kind are others."""
    runs = runs_of(log)
    for number in range(RUN_LIMIT + 2):
        await end(log, f"j{number}", bytes([number]))
    await end(log, "other-kind", b"x", kind="other")
    await end(log, "other-owner", b"y", owner="o")

    assert list(await log.runs("", "k")) == runs[2 : RUN_LIMIT + 2]
    assert [stored.run for stored in await log.runs("o", "k")] == [b"y"]
    assert list(await log.runs("o", "other")) == []
    assert list(await log.recent_kinds(2)) == [("o", "k"), ("", "other")]


async def test_runs_outlive_their_jobs(log: EventLog) -> None:
    """Trimmed or deleted ones."""
    runs = runs_of(log)
    await end(log, "a", b"a")
    await end(log, "b", b"b")
    await log.trim("a", 10)
    await log.delete("a")
    await log.delete("b")

    assert list(await log.runs("", "k")) == runs


async def test_runs_are_as_durable_as_the_log(opening: Open) -> None:
    """They are there after a restart; a commit without one adds none."""
    log = await opening()
    runs = runs_of(log)
    await end(log, "a", b"a")
    await end(log, "b", b"")
    await log.close()
    again = await opening()

    assert [run.run for run in runs] == [b"a"]
    assert list(await again.runs("", "k")) == runs
    await again.close()
