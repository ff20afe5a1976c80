"""The contract of ``EventLog``: reading across jobs, thinning, trimming and deleting."""

from __future__ import annotations

import asyncio

import pytest

from milepost.contract.job_states import has_ended
from milepost.server.log.event_log import ChildrenSummary, CommitRow, DropNotice, Entry, EventLog, Query
from milepost.server.log.log_errors import Conflict
from milepost.server.messages.timestamps import instant
from milepost.v1 import JobState
from tests.support.bad_requests import struct
from tests.support.commits import Author, events_of, positions_of, put, put_in_turn, read, read_page

QUEUED, RUNNING, SUCCEEDED = (
    JobState.JOB_STATE_QUEUED,
    JobState.JOB_STATE_RUNNING,
    JobState.JOB_STATE_SUCCEEDED,
)


async def spans(
    log: EventLog, query: Query, after: int = 0, max_bytes: int = 1 << 30
) -> list[CommitRow | DropNotice]:
    """All entries of the jobs of a query, read span by span."""
    found: list[CommitRow | DropNotice] = []
    while True:
        span = await log.read_feed(query, after, max_bytes, 0)
        assert [after < entry.position <= span.scanned for entry in span.entries].count(False) == 0
        found += span.entries
        if span.scanned == log.position:
            return found
        assert span.scanned > after
        after = span.scanned


async def ended(log: EventLog, job_id: str, **request: object) -> Author:
    """An ended job with progress of two stages in several commits."""
    author = Author(job_id, **request)
    await put_in_turn(
        log,
        author.submit(),
        author.start(),
        author.stage("s", "t"),
        author.progress(1, 2),
        author.progress(3, stage="t"),
        author.lines("x"),
        author.progress(4, 5),
        author.succeed(),
    )
    return author


# --- Many jobs as one -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("max_bytes", [1, 200, 1 << 20])
async def test_all_jobs_are_read_in_the_order_of_their_commits(log: EventLog, max_bytes: int) -> None:
    """By position, across jobs; each commit with the states before and after it."""
    a, b = Author("a"), Author("b")
    commits = [a.submit(), b.submit(), b.start(), a.start(), a.lines("1", "2"), b.succeed(), a.lines("3")]
    positions = positions_of(log)
    await put_in_turn(log, *commits)

    expected = [
        CommitRow(position, commit.job_id, commit.chunk, commit.state_before, commit.state)
        for position, commit in zip(positions, commits, strict=True)
    ]
    assert await spans(log, Query(), max_bytes=max_bytes) == expected
    assert expected[4:] == await spans(log, Query(), after=positions[3], max_bytes=max_bytes)


@pytest.mark.parametrize(
    ("query", "places"),
    [
        (Query(owners=["o"]), [2, 3, 5]),
        (Query(kinds=["x"]), [1, 4]),
        (Query(labels={"l": "1"}), [2, 3, 5]),
        (Query(job_ids=["a"]), [1, 4]),
        (Query(parent_job_id="a"), [2, 3, 5]),
        (Query(parent_job_id="a", with_parent=True), [1, 2, 3, 4, 5]),
        (Query(states=[QUEUED]), [1, 2, 3, 4]),
        (Query(states=[SUCCEEDED]), [5]),
        (Query(states=[RUNNING], owners=["o"]), [3, 5]),
        (Query(owners=["nobody"]), []),
        (Query(owners=["o", ""]), [1, 2, 3, 4, 5]),
        (Query(owners=[]), []),
    ],
    ids=str,
)
async def test_commits_match_a_query_by_the_state_before_and_after(
    log: EventLog, query: Query, places: list[int]
) -> None:
    """A commit matches by the states before and after it, so that leaving a state is included."""
    a = Author("a", kind="x")
    b = Author("b", owner="o", labels={"l": "1"}, parent_job_id="a")
    positions = positions_of(log)
    await put_in_turn(log, a.submit(), b.submit(), b.start(), a.start(), b.succeed())

    found = [entry.position for entry in await spans(log, query)]
    assert [positions[place - 1] for place in places] == found


async def test_children_are_counted(log: EventLog) -> None:
    """The number of children, of ended ones, and their mean fraction; an ended child counts as complete."""
    parent, first, second = Author("p"), Author("a", parent_job_id="p"), Author("b", parent_job_id="p")
    await put(log, parent.submit())
    assert await log.children_summary("p") == ChildrenSummary(0, 0, 0.0)

    await put(log, first.submit(), second.submit(), first.start(), second.start())
    assert await log.children_summary("p") == ChildrenSummary(2, 0, 0.0)

    await put(log, first.stage("s"), first.progress(5))
    assert await log.children_summary("p") == ChildrenSummary(2, 0, 0.125)

    await put(log, second.succeed())
    assert await log.children_summary("p") == ChildrenSummary(2, 1, 0.625)
    assert await log.children_summary("a") == ChildrenSummary(0, 0, 0.0)


async def test_unfinished_children_are_read_page_by_page(log: EventLog) -> None:
    """By their ids, oldest first; neither the parent, nor ended ones, nor those of another job."""
    children = [Author(f"c{number}", parent_job_id="p") for number in range(4)]
    await put(log, Author("p").submit(), *[child.submit() for child in children])
    await put_in_turn(log, Author("other").submit(), Author("x", parent_job_id="other").submit())
    await put_in_turn(log, children[1].start(), children[1].succeed())

    found: list[str] = []
    after = 0
    while page := await log.active_children("p", after, 2):
        assert len(page) <= 2
        found += [job_id for _, job_id in page]
        after = page[-1][0]
    assert found == ["c0", "c2", "c3"]


async def test_ended_jobs_are_ordered_by_end_time(log: EventLog) -> None:
    """Page by page."""
    authors = [Author(f"j{number}") for number in range(5)]
    for author in authors:
        await put(log, author.submit(), author.start())
    for author in (authors[3], authors[0], authors[4]):
        await put(log, author.succeed())

    found: list[str] = []
    after = (0, 0)
    while page := await log.ended(after, 2):
        found += [job.job_id for job in page]
        after = (page[-1].end_time, page[-1].key)
    assert found == ["j3", "j0", "j4"]


# --- Dropping ---------------------------------------------------------------------------------------------------


async def test_thinning_drops_superseded_progress(log: EventLog) -> None:
    """Other events and all sequences are unchanged."""
    author = await ended(log, "j")
    await log.thin("j")

    overtaken = {5, 6, 9}  # of stage s all but the last; stage t has only one
    expected = [event for event in author.events if event.sequence not in overtaken]
    assert await read(log, "j") == expected
    for cursor in range(len(author.events) + 1):
        assert [event for event in expected if event.sequence > cursor] == await read(log, "j", cursor)
    page = await read_page(log, "j")
    assert (1, len(author.events), len(author.events)) == (page.first, page.thinned, page.head)


async def test_trimming_drops_the_oldest(log: EventLog) -> None:
    """Commit by commit; the dropped positions can be queried."""
    entries: list[Entry] = []
    positions = positions_of(log)
    author = await ended(log, "j")
    log.add_listener(entries.extend)
    assert await log.dropped(Query()) == {}
    await log.trim("j", 6)  # within the fourth commit

    assert author.events[4:] == await read(log, "j", 4)
    assert (5, len(author.events)) == ((await read_page(log, "j", 4)).first, author.job.last_sequence)
    (notice,) = entries
    assert isinstance(notice, DropNotice)
    newest = max(drop.position for drop in notice.drops)
    told_of = (notice.attributes.job_id, notice.first_sequence, notice.position, newest)
    assert ("j", 5, positions[8], positions[2]) == told_of
    assert (positions[2], positions[8]) == (max((await log.dropped(Query())).values()), log.position)
    found = await log.find("j")
    assert found is not None
    assert found.first_sequence == 5


async def test_a_whole_log_may_be_trimmed(log: EventLog) -> None:
    """The job remains."""
    author = await ended(log, "j", input=struct({"x": 1}))
    head = author.job.last_sequence
    await log.trim("j", head + 1)
    await log.trim("j", head + 1)

    page = await read_page(log, "j", head)
    assert (events_of(page.chunks), page.first, page.head, has_ended(page.job)) == ([], head + 1, head, True)
    found = await log.find("j")
    assert found is not None
    assert (found.state, found.HasField("input")) == (SUCCEEDED, True)


async def test_a_deleted_job_frees_its_ids(log: EventLog) -> None:
    """Listeners get a notice; its id and its request_id are free again."""
    entries: list[Entry] = []
    positions = positions_of(log)
    await ended(log, "j", request_id="r", labels={"a": "b"}, input=struct({"x": 1}))
    other = await ended(log, "k")
    log.add_listener(entries.extend)
    await log.delete("j")

    assert (await log.find("j"), await log.load("j"), await log.read("j", 0, 1)) == (None, None, None)
    assert await log.find_request("", "r") is None
    assert [job.job_id for _, job in (await log.query(Query())).jobs] == ["k"]
    assert other.events == await read(log, "k")
    (notice,) = entries
    assert isinstance(notice, DropNotice)
    newest = max(drop.position for drop in notice.drops)
    assert (notice.attributes.job_id, notice.first_sequence, newest) == ("j", 0, positions[7])
    assert notice.attributes.labels == {"a": "b"}

    again = Author("j", request_id="r")
    await put(log, again.submit())
    assert again.events == await read(log, "j")
    found = await log.find("j")
    assert found is not None
    assert not found.HasField("input")


async def test_notices_are_read_at_their_positions(log: EventLog) -> None:
    """Reads return notices at their positions, also for later subscribers."""
    positions = positions_of(log)
    await ended(log, "j")
    await log.delete("j")
    other = Author("k")
    await put(log, other.submit())

    entries = await spans(log, Query())
    assert [DropNotice, CommitRow] == [type(entry) for entry in entries]
    assert positions[8:] == [entry.position for entry in entries]


async def test_only_ended_jobs_are_thinned_or_deleted(log: EventLog) -> None:
    """A missing job is refused, too."""
    author = Author("j")
    await put(log, author.submit(), author.start())

    for dropping in (
        log.thin("j"),
        log.delete("j"),
        log.thin("nowhere"),
        log.trim("nowhere", 1),
        log.delete("nowhere"),
    ):
        with pytest.raises(Conflict):
            await dropping
    assert author.events == await read(log, "j")


async def test_a_running_job_is_trimmed_between_its_commits(log: EventLog) -> None:
    """Its log continues without a gap."""
    author = Author("j")
    await put(log, author.submit(), author.start(), author.lines("a"), author.lines("b"))
    await asyncio.gather(log.trim("j", 4), log.append(author.lines("c")))

    assert author.events[3:] == await read(log, "j", 3)


async def generation(log: EventLog, job_id: str) -> int | None:
    """How often the shares of a job were revoked; None if there is no job."""
    found = await log.identify(job_id)
    return None if found is None else found.share_generation


async def test_revoked_shares(log: EventLog) -> None:
    """Each revocation begins a generation of its job, ended or not; trimming the job does not undo it."""
    author = await ended(log, "j")
    other = Author("other")
    await put(log, other.submit(), other.start())
    await log.revoke_shares("j")
    await log.revoke_shares("j")
    await log.revoke_shares("other")
    await log.trim("j", 4)

    assert [await generation(log, name) for name in ("j", "other")] == [2, 1]
    assert author.events[3:] == await read(log, "j", 3)
    with pytest.raises(Conflict):
        await log.revoke_shares("nowhere")


async def test_a_reused_id_is_another_job(log: EventLog) -> None:
    """It is told apart from that, and has no shares yet."""
    await ended(log, "j")
    await log.revoke_shares("j")
    before = await log.identify("j")
    await log.delete("j")
    await put(log, Author("j").submit())
    after = await log.identify("j")

    assert before is not None
    assert after is not None
    assert after.share_generation == 0
    assert after.key != before.key


async def test_what_is_meant_for_a_deleted_job(log: EventLog) -> None:
    """It is refused, and does nothing to a later job with the id."""
    first = await ended(log, "j")
    submitted = instant(first.job.submit_time)
    await log.delete("j", submitted)
    later = await ended(log, "j")

    for dropping in (
        log.thin("j", submitted),
        log.trim("j", 4, submitted),
        log.delete("j", submitted),
        log.revoke_shares("j", submitted),
    ):
        with pytest.raises(Conflict):
            await dropping
    page = await read_page(log, "j")
    assert (events_of(page.chunks), page.first, page.thinned) == (later.events, 1, 0)
    assert await generation(log, "j") == 0

    submitted = instant(later.job.submit_time)
    await log.revoke_shares("j", submitted)
    await log.thin("j", submitted)
    await log.trim("j", 4, submitted)
    page = await read_page(log, "j")
    assert (await generation(log, "j"), page.first > 1, page.thinned) == (1, True, len(later.events))


async def test_children_of_other_owners_are_found(log: EventLog) -> None:
    """Jobs of other owners that name a parent are found whether it exists or not, whatever owner comes first."""
    owner = "b"
    await put(log, Author("top", owner=owner).submit())
    assert not await log.has_children_of_others("top", owner)
    assert not await log.has_children_of_others("", owner)

    await put(log, Author("own", owner=owner, parent_job_id="top").submit())
    assert not await log.has_children_of_others("top", owner)

    for other in ("a", "c"):
        child = f"child-of-{other}"
        await ended(log, child, owner=other, parent_job_id="top")
        assert await log.has_children_of_others("top", owner)
        await log.delete(child)
        assert not await log.has_children_of_others("top", owner)
