"""The contract of ``EventLog``, for every store: appending, reading, following."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from milepost.contract.job_states import has_ended
from milepost.server.log.event_log import DurableCommit, Entry, EventLog
from milepost.server.log.log_errors import Conflict, StoreFailed
from milepost.v1 import Event
from tests.support.bad_requests import struct
from tests.support.commits import Author, events_of, put, put_in_turn, read, read_page

# --- Appending and reading --------------------------------------------------------------------------------------


async def test_appended_events_are_read_back(log: EventLog) -> None:
    """In order, without a gap, unchanged, however it was divided into commits."""
    author = Author("j", input=struct({"path": "/ü"}))
    await put(log, author.submit(), author.start(), author.lines("a", "b", "ü"), author.lines("d"))

    assert author.events == await read(log, "j")


async def test_a_cursor_is_exclusive(log: EventLog) -> None:
    """Reads start after the cursor, also if it is within a commit (rule 1)."""
    author = Author("j")
    await put(log, author.submit(), author.start(), author.lines("a", "b", "c"), author.lines("d"))

    for cursor in range(7):
        assert author.events[cursor:] == await read(log, "j", cursor)
    assert await read(log, "j", 1000) == []


async def test_a_page_is_bounded_and_never_empty_before_the_head(log: EventLog) -> None:
    """A reader makes progress with any page size."""
    author = Author("j")
    await put_in_turn(log, author.submit(), *(author.lines(str(number) * 1000) for number in range(20)))

    found: list[Event] = []
    pages = 0
    while len(found) < len(author.events):
        page = await read(log, "j", len(found), max_bytes=3000)
        assert 1 <= len(page) <= 4
        found += page
        pages += 1
    assert author.events == found
    assert pages >= 5
    assert len(await read(log, "j", 0, max_bytes=0)) == 1


async def test_a_page_has_the_bounds_and_state_of_the_log(log: EventLog) -> None:
    """The first retained event, the head, whether the job has ended, the fraction."""
    author = Author("j")
    await put(log, author.submit(), author.start())
    page = await read_page(log, "j", 2)
    assert (list(page.chunks), page.first, page.head, has_ended(page.job), page.job.fraction) == (
        [],
        1,
        2,
        False,
        0.0,
    )

    await put(log, author.succeed())
    page = await read_page(log, "j", 3)
    assert (list(page.chunks), page.first, page.head, has_ended(page.job), page.job.fraction) == (
        [],
        1,
        3,
        True,
        1.0,
    )


async def test_a_missing_job_has_no_page(log: EventLog) -> None:
    """The result is None, not an empty page."""
    assert await log.read("j", 0, 1) is None
    assert await log.load("j") is None
    assert await log.find("j") is None
    assert await log.find_request("", "r") is None


async def test_a_large_commit_is_kept_whole(log: EventLog) -> None:
    """A commit of the maximum size of a request."""
    author = Author("j")
    await put(log, author.submit(), author.start(), author.lines(*["x" * 60_000] * 65))

    assert author.events == await read(log, "j")


async def test_the_logs_of_many_jobs_do_not_mix(log: EventLog) -> None:
    """Appended concurrently, each log has its own commits, in order."""
    authors = [Author(f"j{number}") for number in range(20)]
    commits = [author.submit() for author in authors] + [author.start() for author in authors]
    for turn in range(10):
        commits += [author.lines(f"{turn}") for author in authors]
    await put(log, *commits)

    for number, author in enumerate(authors):
        assert author.events == await read(log, f"j{number}")


# --- The guard --------------------------------------------------------------------------------------------------


async def test_an_append_that_does_not_follow_the_head_conflicts(log: EventLog) -> None:
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
    """Only a submission creates a job."""
    author = Author("j")
    author.submit()

    with pytest.raises(Conflict):
        await log.append(author.start())
    assert await log.load("j") is None


async def test_a_job_id_is_taken_once(log: EventLog) -> None:
    """The first submission is unchanged."""
    first, second = Author("j", owner="a"), Author("j", owner="b")
    await put(log, first.submit())

    with pytest.raises(Conflict):
        await log.append(second.submit())
    assert first.events == await read(log, "j")


async def test_a_request_makes_one_job(log: EventLog) -> None:
    """Per owner; submissions without a request_id are all different."""
    await put(log, Author("j", request_id="r", owner="a").submit())

    with pytest.raises(Conflict):
        await log.append(Author("k", request_id="r", owner="a").submit())
    await put(
        log,
        Author("l", request_id="r", owner="b").submit(),
        Author("m", owner="a").submit(),
        Author("n", owner="a").submit(),
    )
    assert (
        await log.find_request("a", "r"),
        await log.find_request("b", "r"),
        await log.find_request("a", ""),
    ) == ("j", "l", None)
    assert await log.load("k") is None


async def test_a_conflict_does_not_touch_its_neighbours(log: EventLog) -> None:
    """Appends of one batch succeed and fail independently."""
    good, bad = Author("good"), Author("bad")
    bad.submit()
    outcomes = await asyncio.gather(
        *map(log.append, [good.submit(), bad.start(), good.start(), bad.lines("x"), good.lines("y")]),
        return_exceptions=True,
    )

    assert [type(None), Conflict, type(None), Conflict, type(None)] == [type(outcome) for outcome in outcomes]
    assert good.events == await read(log, "good")


async def test_refused_reports_use_up_their_numbers(log: EventLog) -> None:
    """A commit without events advances the report number and notifies nobody; its conflicts are detected, too."""
    author = Author("j")
    await put(log, author.submit(), author.start())
    await put(log, author.refused(7))
    stored = await log.load("j")
    assert stored is not None
    assert (stored.report_sequence, stored.job.last_sequence) == (7, 2)
    assert author.events == await read(log, "j")

    late = author.refused(1)
    await put(log, author.lines("x"))
    with pytest.raises(Conflict):
        await log.append(late)


# --- What others see --------------------------------------------------------------------------------------------


async def test_listeners_are_called_before_the_append_resolves(log: EventLog) -> None:
    """Of each durable commit once, in order, with its position; of no failed one."""
    entries: list[Entry] = []
    done: list[int] = []
    log.add_listener(entries.extend)
    author, other = Author("j"), Author("k")
    other.submit()
    commits = [author.submit(), author.start(), author.lines("a"), author.succeed()]
    futures = [log.append(commit) for commit in commits]
    failing = log.append(other.start())
    for future in futures:
        future.add_done_callback(lambda _: done.append(len(entries)))

    await asyncio.gather(*futures)
    with pytest.raises(Conflict):
        await failing

    positions = [entry.position for entry in entries]
    assert [
        DurableCommit(commit, position) for position, commit in zip(positions, commits, strict=True)
    ] == entries
    assert positions == [*sorted({*positions})]
    assert (4, positions[-1]) == (len(done), log.position)
    assert all(number <= heard for number, heard in enumerate(done, 1))


async def test_pending_commits_of_a_job_may_be_merged(log: EventLog) -> None:
    """Merging changes neither events nor states nor report numbers. A state change is never merged."""
    entries: list[Entry] = []
    log.add_listener(entries.extend)
    authors = [Author("j"), Author("k")]
    commits = [commit for author in authors for commit in (author.submit(), author.start())]
    for number in range(50):
        commits += [author.lines(f"{number} {author.job.job_id}") for author in authors]
    commits += [authors[0].refused(2), authors[0].lines("last"), authors[1].succeed()]
    await put(log, *commits)

    for author, reports in zip(authors, (53, 51), strict=True):
        job_id = author.job.job_id
        mine = [e.commit for e in entries if isinstance(e, DurableCommit) and e.commit.job_id == job_id]
        stored = await log.load(job_id)
        assert stored is not None
        assert author.events == events_of([commit.chunk for commit in mine]) == await read(log, job_id)
        assert [commit.chunk.last + 1 for commit in mine[:-1]] == [commit.chunk.first for commit in mine[1:]]
        assert [commit.state for commit in mine[:-1]] == [commit.state_before for commit in mine[1:]]
        assert [commit for commit in commits if commit.job_id == job_id and commit.is_transition] == [
            commit for commit in mine if commit.is_transition
        ]
        assert (reports, len(author.events)) == (stored.report_sequence, stored.job.last_sequence)


async def test_listeners_are_called_after_the_commit_is_durable(log: EventLog) -> None:
    """A commit is durable before listeners receive it."""
    heard = asyncio.Event()
    log.add_listener(lambda entries: heard.set())
    author = Author("j")
    appended = log.append(author.submit())
    await heard.wait()

    assert author.events == await read(log, "j")
    await appended


async def test_each_listener_gets_all_entries(log: EventLog) -> None:
    """Each listener gets all entries."""
    entries: tuple[list[Entry], list[Entry]] = ([], [])
    for place in entries:
        log.add_listener(place.extend)
    commit = Author("j").submit()
    await put(log, commit)

    assert entries == ([DurableCommit(commit, log.position)],) * 2


async def test_refused_reports_notify_nobody(log: EventLog) -> None:
    """They have no events."""
    entries: list[Entry] = []
    author = Author("j")
    await put(log, author.submit(), author.start())
    log.add_listener(entries.extend)
    position = log.position
    await put(log, author.refused(1))

    assert ([], position) == (entries, log.position)


async def test_a_cancelled_caller_does_not_cancel_its_append(log: EventLog) -> None:
    """An append completes even if its future is cancelled."""
    author = Author("j")
    log.append(author.submit()).cancel()
    await put(log, author.start())

    assert author.events == await read(log, "j")


# --- Its life ---------------------------------------------------------------------------------------------------


async def test_closing_completes_pending_appends(opening: Callable[[], Awaitable[EventLog]]) -> None:
    """Earlier appends are durable and present when the store is reopened; so are epoch and secret."""
    log = await opening()
    epoch, secret = log.epoch, log.lease_secret
    entries: list[Entry] = []
    log.add_listener(entries.extend)
    author = Author("j", request_id="r", input=struct({"x": 1}))
    futures = [log.append(commit) for commit in (author.submit(), author.start(), author.lines("a"))]
    await log.close()
    assert await asyncio.gather(*futures) == [None, None, None]

    again = await opening()
    try:
        assert len(entries) == 3
        assert (epoch, secret, entries[-1].position) == (again.epoch, again.lease_secret, again.position)
        assert author.events == await read(again, "j")
        assert await again.find_request("", "r") == "j"
        stored = await again.load("j")
        assert stored is not None
        assert stored.report_sequence == 1
        await put(again, author.succeed())
    finally:
        await again.close()


async def test_a_closed_log_refuses_appends(opening: Callable[[], Awaitable[EventLog]]) -> None:
    """It fails instead of hanging."""
    log = await opening()
    await log.close()

    with pytest.raises(StoreFailed):
        await log.append(Author("j").submit())
