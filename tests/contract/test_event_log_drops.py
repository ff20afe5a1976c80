"""The contract of ``EventLog``: it records the jobs, states, payloads and positions of dropped events."""

from __future__ import annotations

import pytest

from milepost.server.log.event_log import DropNotice, Entry, EventLog, Query
from milepost.server.log.sqlite import drop_summary
from milepost.server.messages.payloads import ANY_PAYLOAD, mask_of
from milepost.v1 import JobState
from tests.contract.conftest import Open
from tests.support.commits import Author, positions_of, put, put_in_turn

QUEUED, RUNNING, SUCCEEDED = (
    JobState.JOB_STATE_QUEUED,
    JobState.JOB_STATE_RUNNING,
    JobState.JOB_STATE_SUCCEEDED,
)

MINE = {
    "owner": Query(owners=["a"]),
    "kind": Query(kinds=["x", "z"]),
    "label": Query(labels={"l": "1"}),
    "labels": Query(labels={"l": "1", "m": "2"}),
    "id": Query(job_ids=["mine", "nowhere"]),
    "parent": Query(parent_job_id="p", with_parent=True),
    "both": Query(owners=["a"], kinds=["x"], labels={"m": "2"}),
}


async def over(log: EventLog, job_id: str, **request: object) -> Author:
    """An ended job of four commits."""
    author = Author(job_id, **request)
    await put_in_turn(log, author.submit(), author.start(), author.lines("x"), author.succeed())
    return author


async def mine(log: EventLog) -> None:
    """The job that all queries of ``MINE`` select."""
    await over(log, "mine", owner="a", kind="x", labels={"l": "1", "m": "2"}, parent_job_id="p")


async def newest(log: EventLog, query: Query) -> int:
    """The newest dropped position."""
    return max((await log.dropped(query)).values(), default=0)


@pytest.mark.parametrize("deletes", [False, True])
async def test_drops_count_only_for_jobs_that_match(log: EventLog, deletes: bool) -> None:
    """Dropped events of one job do not affect watches of another (rule 3)."""
    positions = positions_of(log)
    await mine(log)
    await over(log, "other", owner="b", kind="y", labels={"l": "2"})
    await (log.delete("other") if deletes else log.trim("other", 4))

    others = positions[7] if deletes else positions[6]
    assert {name: await newest(log, query) for name, query in MINE.items()} == dict.fromkeys(MINE, 0)
    assert [await newest(log, query) for query in (Query(), Query(owners=["b"]))] == [others, others]

    await (log.delete("mine") if deletes else log.trim("mine", 4))
    own = positions[3] if deletes else positions[2]
    assert {name: await newest(log, query) for name, query in MINE.items()} == dict.fromkeys(MINE, own)
    assert [await newest(log, query) for query in (Query(), Query(owners=["b"]))] == [others, others]


async def test_drops_are_known_by_payloads_and_states(log: EventLog) -> None:
    """A commit that changes the state counts for either state, whatever its payloads: a snapshot may belong to it."""
    submitted, started, logged = (mask_of([name]) for name in ("job_submitted", "job_started", "log_written"))
    positions = positions_of(log)
    await over(log, "j")
    await log.trim("j", 4)

    assert await log.dropped(Query()) == {
        submitted: positions[0],
        started: positions[1],
        logged: positions[2],
    }
    assert await log.dropped(Query(states=[QUEUED])) == {ANY_PAYLOAD: positions[1]}
    assert await log.dropped(Query(states=[RUNNING])) == {ANY_PAYLOAD: positions[1], logged: positions[2]}
    assert await log.dropped(Query(states=[SUCCEEDED])) == {}


async def test_a_span_reports_drops_unknown_to_its_reader(log: EventLog) -> None:
    """They are consistent with the entries read."""
    positions = positions_of(log)
    await over(log, "a", owner="a")
    await over(log, "b", owner="b")
    await log.trim("a", 3)
    known = log.position
    assert (await log.read_feed(Query(), 0, 1 << 20, known)).dropped == {}

    await log.trim("b", 3)
    assert set((await log.read_feed(Query(), 0, 1 << 20, known)).dropped.values()) == set(positions[4:6])
    assert (await log.read_feed(Query(owners=["a"]), 0, 1 << 20, known)).dropped == {}


async def test_drops_outlive_the_job_and_the_store(opening: Open) -> None:
    """For a job that is trimmed, deleted and submitted again, and a reopened store."""
    log = await opening()
    positions = positions_of(log)
    author = Author("j", owner="a")
    await put_in_turn(log, author.submit(), author.start(), author.lines("x"))
    await log.trim("j", 2)
    await log.trim("j", 4)
    await put(log, author.succeed())
    await log.delete("j")
    again = Author("j", owner="b")
    await put(log, again.submit())
    dropped = await log.dropped(Query())
    assert max(dropped.values()) == positions[5]
    await log.close()

    log = await opening()
    assert await log.dropped(Query()) == dropped
    assert await log.dropped(Query(owners=["a"])) == dropped
    assert await log.dropped(Query(owners=["b"])) == {}
    assert await log.dropped(Query(job_ids=["j"])) == dropped
    await log.close()


async def test_only_the_newest_notice_of_a_job_is_kept(log: EventLog) -> None:
    """It includes the earlier ones."""
    author = Author("j")
    await put_in_turn(log, author.submit(), author.start(), *(author.lines(str(n)) for n in range(4)))
    for first in (2, 3, 4):
        await log.trim("j", first)

    span = await log.read_feed(Query(), 0, 1 << 20, 0)
    notices = [entry for entry in span.entries if isinstance(entry, DropNotice)]
    assert [(notice.attributes.job_id, notice.first_sequence) for notice in notices] == [("j", 4)]


@pytest.mark.parametrize("opening", ["sqlite", "jetstream"], indirect=True)
async def test_memory_of_deleted_jobs_is_bounded(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """By owner: deleting many jobs affects only feeds of their owner, and of all owners."""
    monkeypatch.setattr(drop_summary, "DELETED_JOBS_LIMIT", 2)
    entries: list[Entry] = []
    log.add_listener(entries.extend)
    for number in range(5):
        await over(log, f"b{number}", owner="b")
    await over(log, "a0", owner="a")
    for job_id in ("b0", "b1", "a0", "b2", "b3", "b4"):
        await log.delete(job_id)

    notices = {entry.attributes.job_id: entry for entry in entries if isinstance(entry, DropNotice)}
    forgotten = notices[
        "b3"
    ].position  # two go at a time, so that what is too many after an upgrade goes away
    assert [(await log.dropped(query))[ANY_PAYLOAD] for query in (Query(), Query(owners=["b"]))] == [
        forgotten
    ] * 2
    assert ANY_PAYLOAD not in await log.dropped(Query(owners=["a"]))
    assert {entry.position for entry in (await log.read_feed(Query(), 0, 1 << 20, 0)).entries} == {
        notices["a0"].position,
        notices["b4"].position,
    }
