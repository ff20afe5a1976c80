"""The contract of ``EventLog``: loading, finding and listing jobs."""

from __future__ import annotations

import pytest

from milepost.server.log.event_log import EventLog, Query
from milepost.server.messages.timestamps import instant
from milepost.v1 import Job, JobState
from tests.support.bad_requests import struct
from tests.support.commits import Author, put, put_in_turn


async def test_a_job_is_loaded_as_of_its_last_commit(log: EventLog) -> None:
    """For decisions: without its input, with the number of its last report."""
    author = Author("j", input=struct({"path": "/x"}), labels={"a": "b"})
    await put(log, author.submit(), author.start(), author.lines("a", "b"))
    stored = await log.load("j")

    assert stored is not None
    expected = Job.FromString(author.job.SerializeToString())
    expected.epoch, expected.first_sequence = author.epoch(log), 1
    assert (stored.job, stored.report_sequence) == (expected, 2)
    assert instant(author.events[-1].time) == stored.time


async def test_a_job_is_found_with_its_input(log: EventLog) -> None:
    """For display; as of its last commit, too."""
    author = Author("j", input=struct({"path": "/x"}))
    await put(log, author.submit(), author.start())
    found = await log.find("j")

    assert found is not None
    assert (found.input["path"], found.state, found.last_sequence) == ("/x", JobState.JOB_STATE_RUNNING, 2)
    assert (author.epoch(log), 1) == (found.epoch, found.first_sequence)


async def test_an_unset_input_stays_unset(log: EventLog) -> None:
    """An unset input stays unset."""
    await put(log, Author("none").submit(), Author("empty", input=struct({})).submit())

    found = [await log.find("none"), await log.find("empty")]
    assert [job.HasField("input") for job in found if job is not None] == [False, True]


async def test_active_jobs_are_those_that_have_not_ended(log: EventLog) -> None:
    """Oldest first, without their inputs."""
    queued, running, over = Author("queued", input=struct({"x": 1})), Author("running"), Author("over")
    await put_in_turn(log, running.submit(), over.submit(), queued.submit())
    await put(log, running.start(), over.start(), over.succeed())
    active = [job for _, job in (await log.active()).jobs]

    assert [job.job_id for job in active] == ["running", "queued"]
    assert not active[1].HasField("input")
    assert running.epoch(log) == active[0].epoch


async def test_active_jobs_are_read_in_pages(log: EventLog) -> None:
    """A page has the requested size, or one job; the next page starts after its last job."""
    names = ["a", "b", "c", "d", "e"]
    await put_in_turn(log, *(Author(name).submit() for name in names))
    for max_bytes, lengths in ((1, [1, 1, 1, 1, 1]), (1 << 20, [5])):
        pages: list[list[str]] = []
        after, more = 0, True
        while more:
            page = await log.active(after, max_bytes)
            pages.append([job.job_id for _, job in page.jobs])
            after, more = page.jobs[-1][0], page.more
        assert (names, lengths) == ([name for page in pages for name in page], [len(page) for page in pages])


async def listed(log: EventLog, query: Query) -> list[str]:
    """The ids of the jobs that match the query."""
    return [job.job_id for _, job in (await log.query(query)).jobs]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), "edcba"),
        (Query(newest_first=False), "abcde"),
        (Query(owners=["o"]), "db"),
        (Query(owners=["o", ""]), "edcba"),
        (Query(owners=["o", ""], kinds=["x", "y"], newest_first=False), "bc"),
        (Query(owners=[]), ""),
        (Query(owners=[], kinds=["x"]), ""),
        (Query(kinds=["x", "y"]), "cb"),
        (Query(labels={"l": "1"}), "ea"),
        (Query(labels={"l": "1", "m": "2"}), "e"),
        (Query(labels={"l": ""}), ""),
        (Query(parent_job_id="a"), "d"),
        (Query(job_ids=["e", "a", "nowhere"]), "ea"),
        (Query(states=[JobState.JOB_STATE_RUNNING]), "b"),
        (
            Query(
                states=[JobState.JOB_STATE_RUNNING, JobState.JOB_STATE_QUEUED],
                owners=["o"],
                newest_first=False,
            ),
            "bd",
        ),
        (Query(owners=["o"], kinds=["y"]), ""),
        (Query(owners=["o"], kinds=["x", "y"]), "b"),
        (Query(kinds=["x", "y", "x"], states=[JobState.JOB_STATE_RUNNING, JobState.JOB_STATE_QUEUED]), "cb"),
        (Query(kinds=["x", "y"], states=[JobState.JOB_STATE_RUNNING], newest_first=False), "b"),
        (Query(kinds=[*map(str, range(200)), "x"], states=[JobState.JOB_STATE_RUNNING]), "b"),
        (Query(kinds=["x"], labels={"l": "1"}), ""),
    ],
    ids=str,
)
async def test_list_conditions_must_all_hold(log: EventLog, query: Query, expected: str) -> None:
    """All conditions that are set must hold."""
    running = Author("b", owner="o", kind="x")
    await put_in_turn(
        log,
        Author("a", labels={"l": "1"}).submit(),
        running.submit(),
        Author("c", kind="y").submit(),
        Author("d", owner="o", parent_job_id="a").submit(),
        Author("e", labels={"l": "1", "m": "2"}).submit(),
        running.start(),
    )

    assert await listed(log, query) == [*expected]


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 100])
async def test_pages_have_each_job_once_in_order(log: EventLog, newest_first: bool, limit: int) -> None:
    """Each job once, in order; the last page says so."""
    ids = [f"j{number}" for number in range(6)]
    await put_in_turn(log, *(Author(job_id).submit() for job_id in ids))

    found: list[str] = []
    after: int | None = None
    more = True
    while more:
        page = await log.query(Query(newest_first=newest_first, limit=limit, after=after))
        assert page.jobs
        assert page.more == (len(found) + len(page.jobs) < len(ids))
        found += [job.job_id for _, job in page.jobs]
        after, more = page.jobs[-1][0], page.more
    assert (ids[::-1] if newest_first else ids) == found


async def test_a_page_of_large_jobs_is_short(log: EventLog) -> None:
    """So that it fits into memory and a response; it has at least one job."""
    large = struct({"x": "x" * 100_000})
    await put_in_turn(log, *(Author(f"j{number}", input=large).submit() for number in range(5)))

    page = await log.query(Query(max_bytes=250_000))
    assert ([job.job_id for _, job in page.jobs], page.more) == (["j4", "j3", "j2"], True)
    page = await log.query(Query(max_bytes=1, after=page.jobs[-1][0]))
    assert ([job.job_id for _, job in page.jobs], page.more) == (["j1"], True)


async def test_listed_jobs_are_complete(log: EventLog) -> None:
    """Like those of GetJob."""
    author = Author("j", input=struct({"path": "/x"}))
    await put(log, author.submit(), author.start())
    ((_, job),) = (await log.query(Query())).jobs

    assert await log.find("j") == job


async def test_jobs_are_listed_by_a_common_label(log: EventLog) -> None:
    """Alone and with another."""
    commits = [
        Author(f"j{number}", labels={"env": "prod"} | ({"rare": "1"} if number % 1200 == 1 else {})).submit()
        for number in range(2402)
    ]
    await put(log, *commits[:1200])
    await put(log, *commits[1200:2400])
    await put_in_turn(log, *commits[2400:])

    assert await listed(log, Query(labels={"env": "prod"}, limit=2)) == ["j2401", "j2400"]
    assert await listed(log, Query(labels={"env": "prod", "rare": "1"})) == ["j2401", "j1201", "j1"]
    queued = [JobState.JOB_STATE_QUEUED]
    assert await listed(log, Query(labels={"env": "prod"}, states=queued, limit=1)) == ["j2401"]
    assert await listed(log, Query(labels={"env": "prod"}, kinds=["none"])) == []
