"""Commands for many jobs and for logs: `watch` of several, `logs`, `delete`, and what the shell completes."""

from __future__ import annotations

import signal
import uuid
from pathlib import Path

import pytest

from milepost.client import Client, JobContext, JobFailure
from tests.support.command import milepost, started, terminal
from tests.support.rpc import eventually
from tests.support.server import ServerProcess
from tests.support.working import working


@pytest.fixture
def kind() -> str:
    """A kind of job of the test's own."""
    return f"m-{uuid.uuid4().hex[:12]}"


async def handle(job: JobContext) -> dict[str, object]:
    """Write some lines, and fail if the input says so."""
    job.log("begun")
    async with job.stage("scan") as stage:
        job.log("details", severity="debug", stage=stage)
        job.log("unreadable: x", severity="warning", stage=stage)
    if job.input.get("fail"):
        raise JobFailure("NO_PATH", "There is no such path.")
    return {"files": 3}


async def submit(client: Client, kind: str, *, fail: bool = False, label: str = "a") -> str:
    """Submit a job; return its id."""
    return (await client.submit(kind, {"fail": fail}, labels={"team": label}, owner=kind)).job_id


@pytest.mark.parametrize(("expected", "fail"), [(0, False), (1, True)])
async def test_several_jobs_are_watched_to_their_ends(
    shared_server: ServerProcess, client: Client, kind: str, expected: int, fail: bool
) -> None:
    """Each event is a line with its job's id; the status is that of the first one that did not succeed."""
    ids = [await submit(client, kind), await submit(client, kind, fail=fail)]
    async with started("watch", *ids, address=shared_server.address) as running:
        await running.says(ids[0])
        async with working(shared_server.address, **{kind: handle}):
            outcome = await running.end()
    last = "failed" if fail else "succeeded"

    assert (outcome.status, outcome.out) == (expected, "")
    assert any(f"  {ids[0]}  succeeded in " in line for line in outcome.err.splitlines())
    assert any(f"  {ids[1]}  {last} " in line for line in outcome.err.splitlines())


async def test_several_jobs_as_json(shared_server: ServerProcess, client: Client, kind: str) -> None:
    """The current jobs, then their events."""
    ids = [await submit(client, kind), await submit(client, kind)]
    async with started("watch", *ids, "--output", "json", address=shared_server.address) as running:
        await running.says(ids[1])
        async with working(shared_server.address, **{kind: handle}):
            outcome = await running.end()
    items = outcome.objects

    assert outcome.status == 0
    assert {item["snapshot"]["job"]["jobId"] for item in items if "snapshot" in item} == set(ids)
    assert {item["jobId"] for item in items if "jobEnded" in item} == set(ids)


@pytest.mark.parametrize("options", ["--kind {kind}", "--owner {kind}", "--owner {kind} --label team=a"])
async def test_all_jobs_that_match_are_watched(
    shared_server: ServerProcess, client: Client, kind: str, options: str
) -> None:
    """Also those that come later, until Ctrl-C."""
    first = await submit(client, kind)
    async with started("watch", *options.format(kind=kind).split(), address=shared_server.address) as running:
        await running.says(first)
        second = await submit(client, kind)
        await running.says(second)
        running.signal(signal.SIGINT)
        outcome = await running.end()

    assert outcome.status == 130
    assert "Traceback" not in outcome.err


async def test_jobs_that_match_now(shared_server: ServerProcess, client: Client, kind: str) -> None:
    """--no-follow prints their current state."""
    ids = {await submit(client, kind), await submit(client, kind)}
    outcome = await milepost("watch", "--kind", kind, "--no-follow", address=shared_server.address)

    assert outcome.status == 0
    assert {line.split("  ")[0] for line in outcome.err.splitlines()} == ids


@pytest.mark.parametrize("command", ["list --kind {kind}", "watch --kind {kind} --no-follow"])
async def test_no_job_matches(shared_server: ServerProcess, kind: str, command: str) -> None:
    """People get a message; stdout stays empty, without headings, also as JSON."""
    arguments = command.format(kind=kind).split()
    people = await milepost(*arguments, address=shared_server.address)
    programs = await milepost(*arguments, "--output", "json", address=shared_server.address)

    assert (people.status, people.out, people.err) == (0, "", "No jobs found.\n")
    assert (programs.status, programs.out, programs.err) == (0, "", "")


async def test_a_board_on_a_terminal(shared_server: ServerProcess, client: Client, kind: str) -> None:
    """A table of the jobs, which ends with them."""
    ids = [await submit(client, kind), await submit(client, kind)]
    async with terminal("watch", *ids, address=shared_server.address, columns=120) as shown:
        await shown.shows(lambda text: "2 jobs: 2 queued" in text)
        async with working(shared_server.address, **{kind: handle}):
            status = await shown.process.wait()
        await shown.shows(lambda text: "2 jobs: 2 succeeded" in text)

    assert status == 0
    assert all(job_id in shown.text for job_id in ids)
    assert shown.raw.rfind("\x1b[?25h") > shown.raw.rfind("\x1b[?25l")


@pytest.mark.parametrize(
    "arguments",
    [(), ("j", "--kind", "k"), ("j", "k", "--after", "3")],
    ids=["none", "ids and filter", "cursor of several"],
)
async def test_watch_takes_ids_or_a_filter(arguments: tuple[str, ...]) -> None:
    """Ids or a filter, and a cursor for one job only."""
    outcome = await milepost("watch", *arguments)

    assert outcome.status == 2
    assert outcome.err.startswith("Error: ")


async def test_a_missing_job_among_several_is_an_error(
    shared_server: ServerProcess, client: Client, kind: str
) -> None:
    """Before any event is printed."""
    outcome = await milepost("watch", await submit(client, kind), "nowhere", address=shared_server.address)

    assert outcome.status == 4


@pytest.mark.parametrize(
    ("expected", "options"),
    [
        (["begun", "scan | debug: details", "scan | warning: unreadable: x"], ()),
        (["scan | debug: details", "scan | warning: unreadable: x"], ("--stage", "scan")),
        (["scan | warning: unreadable: x"], ("--severity", "warning")),
        ([], ("--severity", "error", "--follow")),
    ],
)
async def test_the_log_of_a_job(
    shared_server: ServerProcess, client: Client, kind: str, expected: list[str], options: tuple[str, ...]
) -> None:
    """On stdout, a line each; by stage and severity."""
    async with working(shared_server.address, **{kind: handle}):
        job_id = await submit(client, kind)
        await client.result(job_id)
    outcome = await milepost("logs", job_id, *options, address=shared_server.address)

    assert (outcome.status, outcome.err) == (0, "")
    assert [line[10:].removeprefix("| ") for line in outcome.out.splitlines()] == expected


async def test_a_log_is_followed_to_the_end(shared_server: ServerProcess, client: Client, kind: str) -> None:
    """As JSON each line is its event."""
    job_id = await submit(client, kind)
    async with (
        started("logs", job_id, "-f", "--output", "json", address=shared_server.address) as running,
        working(shared_server.address, **{kind: handle}),
    ):
        outcome = await running.end()

    assert outcome.status == 0
    assert [item["logWritten"]["text"] for item in outcome.objects] == ["begun", "details", "unreadable: x"]


async def test_jobs_are_deleted(shared_server: ServerProcess, client: Client, kind: str) -> None:
    """Ended jobs are deleted; for a running one there is an error."""
    ids = [await submit(client, kind), await submit(client, kind)]
    early = await milepost("delete", ids[0], address=shared_server.address)
    for job_id in ids:
        await client.cancel(job_id)
    outcome = await milepost("delete", *ids, address=shared_server.address)
    again = await milepost("delete", ids[0], "--output", "json", address=shared_server.address)

    assert (early.status, early.out) == (2, "")
    assert (outcome.status, outcome.out) == (0, f"{ids[0]} deleted\n{ids[1]} deleted\n")
    assert again.status == 4


async def complete(words: str, address: str, cwd: Path | None = None) -> tuple[int, set[str], str]:
    """The completions that bash offers after the words."""
    outcome = await milepost(
        env={
            "_MILEPOST_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        },
        address=address,
        cwd=cwd,
    )
    return outcome.status, {line.partition(",")[2] for line in outcome.out.split()}, outcome.err


async def offered(words: str, address: str) -> set[str]:
    """The same of a server, once that answers within the moment for which the command waits."""

    async def found() -> set[str]:
        status, completions, err = await complete(words, address)
        assert (status, err) == (0, "")
        return completions

    result: set[str] = await eventually(found)
    return result


async def test_jobs_and_kinds_are_completed(server: ServerProcess, kind: str) -> None:
    """From the server: for each command the jobs that it applies to."""
    async with Client(server.address) as client:
        queued, ended = await submit(client, kind), await submit(client, kind)
        await client.cancel(ended)

    assert await offered("milepost watch ", server.address) == {queued, ended}
    assert await offered("milepost cancel ", server.address) == {queued}
    assert await offered("milepost delete ", server.address) == {ended}
    assert await offered("milepost submit ", server.address) == {kind}
    assert await offered("milepost list --kind m", server.address) == {kind}


async def test_without_a_server_nothing_is_completed() -> None:
    """Without an error."""
    assert await complete("milepost watch ", "127.0.0.1:1") == (0, set(), "")


async def test_workers_are_completed(tmp_path: Path) -> None:
    """From the source of the modules in the working directory, which is not run."""
    (tmp_path / "jobs.py").write_text(
        "raise SystemExit\nworker = Worker()\nother: Worker = milepost.Worker('h:1')\n"
    )
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "more.py").write_text("worker = Worker()")

    first = await complete("milepost worker ", "127.0.0.1:1", tmp_path)
    second = await complete("milepost worker package.", "127.0.0.1:1", tmp_path)

    assert first == (0, {"jobs:worker", "jobs:other", "package."}, "")
    assert second == (0, {"package.more:worker"}, "")
