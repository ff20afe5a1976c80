"""What every ``EventLog`` holds to, whichever store keeps it. A new one is added to ``STORES``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from milepost.server.instants import instant
from milepost.server.log.event_log import Commit, Conflict, EventLog, Query, StoreFailed
from milepost.server.log.frames import Chunk
from milepost.server.log.sqlite import SqliteEventLog
from milepost.v1 import Event, Events, Job, JobState
from tests.support.bad_requests import struct
from tests.support.commits import Author

Open = Callable[[], Awaitable[EventLog]]
"""Opens the store; the same one again where it was opened, and closed, before."""


def sqlite(path: Path) -> Open:
    """The embedded store."""

    async def opened() -> EventLog:
        return SqliteEventLog(path)

    return opened


STORES: dict[str, Callable[[Path], Open]] = {"sqlite": sqlite}


@pytest.fixture(params=STORES)
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the store."""
    return STORES[request.param](tmp_path)


@pytest.fixture
async def log(opening: Open) -> AsyncIterator[EventLog]:
    """An empty log."""
    opened = await opening()
    yield opened
    await opened.close()


async def put(log: EventLog, *commits: Commit) -> None:
    """Appends, and waits until all is durable."""
    await asyncio.gather(*(log.append(commit) for commit in commits))


async def read(log: EventLog, job_id: str, cursor: int = 0, most_bytes: int = 1 << 20) -> list[Event]:
    """The events after the cursor."""
    page = await log.read(job_id, cursor, most_bytes)
    assert page is not None
    return events(page.chunks)


def events(chunks: Sequence[Chunk]) -> list[Event]:
    """What is in the chunks; their numbers are those of their events."""
    found: list[Event] = []
    for chunk in chunks:
        inside = list(Events.FromString(chunk.frames).events)
        assert [*range(chunk.first, chunk.last + 1)] == [event.sequence for event in inside]
        found.extend(inside)
    return found


# --- Appending and reading --------------------------------------------------------------------------------------


async def test_what_is_appended_is_read(log: EventLog) -> None:
    """In order, without a gap, exactly as it was, however it was cut into commits."""
    author = Author("j", input=struct({"path": "/ü"}))
    await put(log, author.submit(), author.start(), author.lines("a", "b", "ü"), author.lines("d"))

    assert author.events == await read(log, "j")


async def test_a_cursor_is_exclusive(log: EventLog) -> None:
    """Rule 1: what comes is after it, also where it stands within a commit."""
    author = Author("j")
    await put(log, author.submit(), author.start(), author.lines("a", "b", "c"), author.lines("d"))

    for cursor in range(7):
        assert author.events[cursor:] == await read(log, "j", cursor)
    assert [] == await read(log, "j", 1000)


async def test_a_page_is_bounded_and_never_empty_before_the_head(log: EventLog) -> None:
    """A reader gets on however little it asks for."""
    author = Author("j")
    await put(log, author.submit(), *(author.lines(str(number) * 1000) for number in range(20)))

    found: list[Event] = []
    pages = 0
    while len(found) < len(author.events):
        page = await read(log, "j", len(found), most_bytes=3000)
        assert 1 <= len(page) <= 4
        found += page
        pages += 1
    assert author.events == found
    assert pages >= 5
    assert 1 == len(await read(log, "j", 0, most_bytes=0))


async def test_a_page_tells_how_the_log_stood(log: EventLog) -> None:
    """The first event that is kept, the head, whether it has ended, the fraction."""
    author = Author("j")
    await put(log, author.submit(), author.start())
    page = await log.read("j", 2, 0)
    assert page is not None
    assert ([], 1, 2, False, 0.0) == (list(page.chunks), page.first, page.head, page.ended, page.fraction)

    await put(log, author.succeed())
    page = await log.read("j", 3, 0)
    assert page is not None
    assert ([], 1, 3, True, 1.0) == (list(page.chunks), page.first, page.head, page.ended, page.fraction)


async def test_there_is_nothing_of_a_job_that_does_not_exist(log: EventLog) -> None:
    """None, rather than nothing."""
    assert await log.read("j", 0, 1) is None
    assert await log.load("j") is None
    assert await log.find("j") is None
    assert await log.find_request("", "r") is None


async def test_a_large_commit_is_kept_whole(log: EventLog) -> None:
    """As large as a request may be."""
    author = Author("j")
    await put(log, author.submit(), author.start(), author.lines(*["x" * 60_000] * 65))

    assert author.events == await read(log, "j")


async def test_the_logs_of_many_jobs_do_not_mix(log: EventLog) -> None:
    """Appended all at once, each log has its own, in order."""
    authors = [Author(f"j{number}") for number in range(20)]
    commits = [author.submit() for author in authors] + [author.start() for author in authors]
    for turn in range(10):
        commits += [author.lines(f"{turn}") for author in authors]
    await put(log, *commits)

    for number, author in enumerate(authors):
        assert author.events == await read(log, f"j{number}")


# --- The guard --------------------------------------------------------------------------------------------------


async def test_an_append_where_the_log_does_not_stand_conflicts(log: EventLog) -> None:
    """Neither a gap nor an overlap is written; the log goes on afterwards."""
    author = Author("j")
    await put(log, author.submit(), author.start())
    again, skipped, after = author.lines("a"), author.lines("b"), author.lines("c")
    await put(log, again)

    for commit in (again, after):
        with pytest.raises(Conflict):
            await log.append(commit)
    await put(log, skipped, after)
    assert author.events == await read(log, "j")


async def test_an_append_to_a_job_that_does_not_exist_conflicts(log: EventLog) -> None:
    """Only a submission makes one."""
    author = Author("j")
    author.submit()

    with pytest.raises(Conflict):
        await log.append(author.start())
    assert await log.load("j") is None


async def test_an_id_is_given_once(log: EventLog) -> None:
    """The first submission stays as it is."""
    first, second = Author("j", owner="a"), Author("j", owner="b")
    await put(log, first.submit())

    with pytest.raises(Conflict):
        await log.append(second.submit())
    assert first.events == await read(log, "j")


async def test_a_request_makes_one_job(log: EventLog) -> None:
    """For each owner; submissions without a request_id are all different."""
    await put(log, Author("j", request_id="r", owner="a").submit())

    with pytest.raises(Conflict):
        await log.append(Author("k", request_id="r", owner="a").submit())
    await put(
        log,
        Author("l", request_id="r", owner="b").submit(),
        Author("m", owner="a").submit(),
        Author("n", owner="a").submit(),
    )
    assert ("j", "l", None) == (
        await log.find_request("a", "r"),
        await log.find_request("b", "r"),
        await log.find_request("a", ""),
    )
    assert await log.load("k") is None


async def test_a_conflict_does_not_touch_its_neighbours(log: EventLog) -> None:
    """Appends that were made in one go succeed and fail each on its own."""
    good, bad = Author("good"), Author("bad")
    bad.submit()
    outcomes = await asyncio.gather(
        *map(log.append, [good.submit(), bad.start(), good.start(), bad.lines("x"), good.lines("y")]),
        return_exceptions=True,
    )

    assert [type(None), Conflict, type(None), Conflict, type(None)] == [type(outcome) for outcome in outcomes]
    assert good.events == await read(log, "good")


async def test_reports_that_were_refused_use_up_their_numbers(log: EventLog) -> None:
    """A commit without events moves the report's number, and shows nobody anything; it is guarded, too."""
    author = Author("j")
    await put(log, author.submit(), author.start())
    await put(log, author.refused(7))
    stored = await log.load("j")
    assert stored is not None
    assert (7, 2) == (stored.report_sequence, stored.job.last_sequence)
    assert author.events == await read(log, "j")

    late = author.refused(1)
    await put(log, author.lines("x"))
    with pytest.raises(Conflict):
        await log.append(late)


# --- What others see --------------------------------------------------------------------------------------------


async def test_followers_are_told_before_the_one_who_appended(log: EventLog) -> None:
    """Of each durable commit once, in order; of none that failed."""
    told: list[Commit] = []
    done: list[int] = []
    log.follow(told.extend)
    author, other = Author("j"), Author("k")
    other.submit()
    commits = [author.submit(), author.start(), author.lines("a"), author.lines("b")]
    futures = [log.append(commit) for commit in commits]
    failing = log.append(other.start())
    for future in futures:
        future.add_done_callback(lambda _: done.append(len(told)))

    await asyncio.gather(*futures)
    with pytest.raises(Conflict):
        await failing

    assert commits == told
    assert 4 == len(done)
    assert all(number <= heard for number, heard in enumerate(done, 1))


async def test_what_is_told_can_be_read(log: EventLog) -> None:
    """A commit is durable by the time that anybody hears of it."""
    heard = asyncio.Event()
    log.follow(lambda commits: heard.set())
    author = Author("j")
    appended = log.append(author.submit())
    await heard.wait()

    assert author.events == await read(log, "j")
    await appended


async def test_several_follow(log: EventLog) -> None:
    """Each is told of all."""
    told: tuple[list[Commit], list[Commit]] = ([], [])
    for place in told:
        log.follow(place.extend)
    commit = Author("j").submit()
    await put(log, commit)

    assert ([commit], [commit]) == told


async def test_a_caller_who_does_not_wait_changes_nothing(log: EventLog) -> None:
    """An append goes its way though its future was cancelled."""
    author = Author("j")
    log.append(author.submit()).cancel()
    await put(log, author.start())

    assert author.events == await read(log, "j")


# --- Jobs -------------------------------------------------------------------------------------------------------


async def test_a_job_is_loaded_as_of_its_last_commit(log: EventLog) -> None:
    """To decide upon: without its input, and with the number of its last report."""
    author = Author("j", input=struct({"path": "/x"}), labels={"a": "b"})
    await put(log, author.submit(), author.start(), author.lines("a", "b"))
    stored = await log.load("j")

    assert stored is not None
    expected = Job.FromString(author.job.SerializeToString())
    expected.epoch, expected.first_sequence = log.epoch, 1
    assert (expected, 2) == (stored.job, stored.report_sequence)
    assert instant(author.events[-1].time) == stored.time


async def test_a_job_is_found_with_its_input(log: EventLog) -> None:
    """To be shown; as of its last commit, too."""
    author = Author("j", input=struct({"path": "/x"}))
    await put(log, author.submit(), author.start())
    found = await log.find("j")

    assert found is not None
    assert ("/x", JobState.JOB_STATE_RUNNING, 2) == (found.input["path"], found.state, found.last_sequence)
    assert (log.epoch, 1) == (found.epoch, found.first_sequence)


async def test_no_input_is_not_an_empty_one(log: EventLog) -> None:
    """What was not set stays so."""
    await put(log, Author("none").submit(), Author("empty", input=struct({})).submit())

    found = [await log.find("none"), await log.find("empty")]
    assert [False, True] == [job.HasField("input") for job in found if job is not None]


async def test_active_jobs_are_those_that_have_not_ended(log: EventLog) -> None:
    """Oldest first, without their inputs."""
    queued, running, over = Author("queued", input=struct({"x": 1})), Author("running"), Author("over")
    await put(log, running.submit(), over.submit(), queued.submit())
    await put(log, running.start(), over.start(), over.succeed())
    active = await log.active()

    assert ["running", "queued"] == [job.job_id for job in active]
    assert not active[1].HasField("input")
    assert log.epoch == active[0].epoch


async def listed(log: EventLog, query: Query) -> list[str]:
    """The ids of what the query finds."""
    return [job.job_id for _, job in (await log.query(query)).jobs]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), "edcba"),
        (Query(newest_first=False), "abcde"),
        (Query(owner="o"), "db"),
        (Query(kinds=["x", "y"]), "cb"),
        (Query(labels={"l": "1"}), "ea"),
        (Query(labels={"l": "1", "m": "2"}), "e"),
        (Query(labels={"l": ""}), ""),
        (Query(parent_job_id="a"), "d"),
        (Query(job_ids=["e", "a", "nowhere"]), "ea"),
        (Query(states=[JobState.JOB_STATE_RUNNING]), "b"),
        (
            Query(
                states=[JobState.JOB_STATE_RUNNING, JobState.JOB_STATE_QUEUED], owner="o", newest_first=False
            ),
            "bd",
        ),
        (Query(owner="o", kinds=["y"]), ""),
    ],
    ids=str,
)
async def test_jobs_are_listed_by_what_they_are(log: EventLog, query: Query, expected: str) -> None:
    """All conditions that are set must hold."""
    running = Author("b", owner="o", kind="x")
    await put(
        log,
        Author("a", labels={"l": "1"}).submit(),
        running.submit(),
        Author("c", kind="y").submit(),
        Author("d", owner="o", parent_job_id="a").submit(),
        Author("e", labels={"l": "1", "m": "2"}).submit(),
        running.start(),
    )

    assert [*expected] == await listed(log, query)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 100])
async def test_pages_follow_one_another(log: EventLog, newest_first: bool, limit: int) -> None:
    """Each job once, in order; the last page says so."""
    ids = [f"j{number}" for number in range(6)]
    await put(log, *(Author(job_id).submit() for job_id in ids))

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
    """So that it can be held in memory, and sent; it has one job at least."""
    large = struct({"x": "x" * 100_000})
    await put(log, *(Author(f"j{number}", input=large).submit() for number in range(5)))

    page = await log.query(Query(most_bytes=250_000))
    assert (["j4", "j3", "j2"], True) == ([job.job_id for _, job in page.jobs], page.more)
    page = await log.query(Query(most_bytes=1, after=page.jobs[-1][0]))
    assert (["j1"], True) == ([job.job_id for _, job in page.jobs], page.more)


async def test_listed_jobs_are_whole(log: EventLog) -> None:
    """As GetJob has them."""
    author = Author("j", input=struct({"path": "/x"}))
    await put(log, author.submit(), author.start())
    ((_, job),) = (await log.query(Query())).jobs

    assert await log.find("j") == job


# --- Its life ---------------------------------------------------------------------------------------------------


async def test_closing_finishes_what_is_under_way(opening: Open) -> None:
    """What was appended before is durable, and there when the store is opened again; so are epoch and secret."""
    log = await opening()
    epoch, secret = log.epoch, log.lease_secret
    author = Author("j", request_id="r", input=struct({"x": 1}))
    futures = [log.append(commit) for commit in (author.submit(), author.start(), author.lines("a"))]
    await log.close()
    assert [None, None, None] == await asyncio.gather(*futures)

    again = await opening()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(again.close)
        assert (epoch, secret) == (again.epoch, again.lease_secret)
        assert author.events == await read(again, "j")
        assert "j" == await again.find_request("", "r")
        stored = await again.load("j")
        assert stored is not None
        assert 1 == stored.report_sequence
        await put(again, author.succeed())


async def test_nothing_is_appended_after_the_end(opening: Open) -> None:
    """It fails, and does not hang."""
    log = await opening()
    await log.close()

    with pytest.raises(StoreFailed):
        await log.append(Author("j").submit())
