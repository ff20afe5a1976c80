"""`milepost diff` against a real server."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import click
import pytest

from milepost.client import Client, JobFailure
from milepost.client._cli.commands import run_reader
from milepost.v1 import Retention
from tests.support.command import milepost, terminal
from tests.support.rpc import eventually
from tests.support.server import Server

SHADOW_OF = "milepost.dev/shadow-of"


@pytest.fixture
def kind() -> str:
    """A kind of job of the test's own."""
    return f"test-{uuid.uuid4().hex}"


async def album(
    client: Client,
    kind: str,
    *,
    title: str = "The sea",
    tracks: int = 2,
    stages: tuple[str, ...] = ("scan", "merge"),
    fails: bool = False,
    labels: Mapping[str, str] | None = None,
    **options: Any,
) -> str:
    """Run a job with stages, children, events, an artifact and a result; return its id."""
    job_id = ""
    with suppress(JobFailure):
        async with client.start(kind, {"tracks": 2}, labels=labels, **options) as job:
            job_id = job.id
            for name in stages:
                async with job.stage(name, total=3) as stage:
                    stage.advance(3)
            for number in range(tracks):
                child = client.start(
                    f"{kind}-track", labels={"track": str(number)}, parent_job_id=job.id, start_deadline=60
                )
                async with child as track:
                    track.emit("WORDS", {"count": number})
                    track.result = {"words": ["a", "b"], "of": job.id}
            job.emit("TITLE", {"title": title})
            job.artifact("mix.wav", f"file:///{job.id}/mix.wav", size_bytes=3)
            if fails:
                raise JobFailure("NO_DISK", "There is no disk.")
            job.result = {"title": title, "request_id": uuid.uuid4().hex, "see": f"/jobs/{job.id}"}
    return job_id


async def test_equal_runs(shared_server: Server, client: Client, kind: str) -> None:
    """The status is 0, once what differs in each run is ignored."""
    a, b = await album(client, kind), await album(client, kind)
    found = await milepost("diff", a, b, "--ignore", "result.request_id", address=shared_server.address)

    assert (found.status, found.err) == (0, "")
    assert found.out.splitlines()[-2:] == [
        "The runs are the same.",
        "Durations are only shown; --tolerance judges them.",
    ]


async def test_an_unmatched_ignore_is_reported(shared_server: Server, client: Client, kind: str) -> None:
    """It is named on stderr, and changes neither the output nor the status."""
    a, b = await album(client, kind), await album(client, kind)
    ignored = ("--ignore", "result.request_id", "--ignore", "result.request-id", "--ignore", "events")
    found = await milepost("diff", a, b, *ignored, address=shared_server.address)

    assert (found.status, found.err) == (0, "--ignore 'result.request-id' left nothing out.\n")


async def test_planted_differences(shared_server: Server, client: Client, kind: str) -> None:
    """Each is found, the status is 1, and JSON has the paths that --ignore takes."""
    a = await album(client, kind)
    b = await album(client, kind, title="A sea", tracks=1, stages=("scan", "check"))
    found = await milepost("diff", a, b, "--output", "json", address=shared_server.address)
    (said,) = found.objects

    assert (found.status, found.err, said["same"], said["inputs"]) == (1, "", False, [])
    assert (said["a"]["jobId"], said["b"]["jobId"]) == (a, b)
    assert {(each["path"], each["change"]) for each in said["differences"]} == {
        ("stages.merge", "missing"),
        ("stages.check", "added"),
        ("result.title", "changed"),
        ("result.request_id", "changed"),
        ("events.TITLE[0].title", "changed"),
        (f"children.{kind}-track[1]", "missing"),
    }
    ignored = [option for each in said["differences"] for option in ("--ignore", each["path"])]
    without = await milepost("diff", a, b, *ignored, address=shared_server.address)
    assert without.status == 0


async def test_a_run_that_failed(shared_server: Server, client: Client, kind: str) -> None:
    """It can be compared as well; how it ended is what differs."""
    a, b = await album(client, kind), await album(client, kind, fails=True)
    found = await milepost("diff", a, b, "--ignore", "result", address=shared_server.address)

    assert found.status == 1
    listed = found.out.partition("DIFFERENCES\n")[2]
    assert re.findall(r"^  (\S+)  ", listed, re.MULTILINE) == ["state", "failure"]
    assert (await milepost("diff", b, b, address=shared_server.address)).status == 0


async def test_durations(shared_server: Server, client: Client, kind: str) -> None:
    """They differ where --tolerance says so."""

    async def slow(seconds: float) -> str:
        async with client.start(kind) as job, job.stage("scan"):
            await asyncio.sleep(seconds)
        return job.id

    a, b = await slow(0.05), await slow(0.8)
    plain = await milepost("diff", a, b, address=shared_server.address)
    slack = await milepost(
        "diff", a, b, "--tolerance", "100%", "--slack", "60s", address=shared_server.address
    )
    strict = await milepost(
        "diff", a, b, "--tolerance", "2", "--slack", "0", "--output", "json", address=shared_server.address
    )
    assert (plain.status, slack.status, strict.status) == (0, 0, 1)
    assert [(each["path"], each["change"]) for each in strict.objects[0]["differences"]] == [
        ("duration", "slower"),
        ("stages.scan.duration", "slower"),
    ]


async def test_a_job_and_its_shadow(shared_server: Server, client: Client, kind: str) -> None:
    """One job is compared with the one that names it in its label."""
    a = await album(client, kind)
    shadow = await album(client, kind, title="A sea", labels={SHADOW_OF: a})
    found = await milepost(
        "diff", a, "--ignore", "**.request_id", "-o", "json", address=shared_server.address
    )
    none = await milepost("diff", shadow, address=shared_server.address)

    assert (found.status, found.objects[0]["b"]["jobId"]) == (1, shadow)
    assert [each["path"] for each in found.objects[0]["differences"]] == [
        "result.title",
        "events.TITLE[0].title",
    ]
    assert none.status == 2
    assert f"Job {shadow} has no shadow" in none.err


async def test_groups_by_a_label(shared_server: Server, client: Client, kind: str) -> None:
    """The last runs of each value: with shadows run by run, without them by what there is."""
    by = f"{kind}/engine"
    for title in ("x", "y", "z"):
        a = await album(client, kind, title=title, labels={by: "old"})
        await album(client, kind, title="A sea" if title == "z" else title, labels={by: "new", SHADOW_OF: a})
    common = ("diff", "--kind", kind, "--by", by, "--ignore", "result.request_id")
    pairs = await milepost(*common, "--output", "json", address=shared_server.address)
    (said,) = pairs.objects

    assert (pairs.status, said["a"]["value"], said["b"]["value"], said["pairs"]) == (1, "old", "new", 3)
    assert [(each["path"], each["pairs"]) for each in said["recurring"]] == [
        ("result.title", 1),
        ("events.TITLE.title", 1),
    ]
    assert [each["path"] for each in said["medians"]] == [
        "",
        "stages.scan",
        "stages.merge",
        f"children.{kind}-track",
    ]
    same = await milepost(*common, "--ignore", "**.title", address=shared_server.address)
    assert (same.status, same.out.splitlines()[-2]) == (0, "The groups are the same.")

    await album(client, kind, stages=("scan",), labels={by: "newest"})
    other = await milepost(
        *("diff", "--kind", kind, "--by", f"{by}=newest,old", "--last", "2", "--output", "json"),
        address=shared_server.address,
    )
    (said,) = other.objects
    assert (other.status, said["pairs"], len(said["a"]["jobIds"]), len(said["b"]["jobIds"])) == (1, 0, 1, 2)
    assert said["presences"] == [{"path": "stages.merge", "value": "", "a": 0, "b": 2}]


async def test_runs_that_cannot_be_compared_are_an_error(
    shared_server: Server, client: Client, kind: str
) -> None:
    """The error says why, and the status is not that of a difference."""
    a = await album(client, kind, labels={f"{kind}/engine": "one"})
    queued = await client.submit(kind)
    two = f"{kind}/size"
    for size in ("x", "y"):
        await album(client, kind, labels={two: size})
    for arguments, status, words in [
        ((), 2, "Give two jobs, one job that has a shadow, or --kind and --by."),
        ((a, a, a), 2, "Give two jobs"),
        ((a, "--kind", kind, "--by", "x"), 2, "Give either jobs, or --kind and --by."),
        (("--kind", kind), 2, "both --kind and --by"),
        (("--kind", kind, "--by", "x=1"), 2, "LABEL=A,B"),
        (("--kind", kind, "--by", "x"), 2, "none has that label"),
        (("--kind", kind, "--by", f"{kind}/engine"), 2, "they all have one"),
        (
            (a, queued.job_id),
            2,
            f"Job {queued.job_id} is queued, and only runs that have ended are compared.",
        ),
        (("--kind", kind, "--by", f"{two}=x,z"), 2, "none has z; they have x, y."),
        ((a, a, "--last", "3"), 2, "--last is the number of runs of each group"),
        ((a, "not-there"), 4, "not-there"),
        ((a, a, "--ignore", "result["), 2, "'result[' is not a path"),
        ((a, a, "--tolerance", "0.5"), 2, "write 50%"),
    ]:
        found = await milepost("diff", *arguments, address=shared_server.address)
        assert (found.status, found.out) == (status, ""), arguments
        assert words in found.err, arguments
    as_json = await milepost("diff", a, queued.job_id, "-o", "json", address=shared_server.address)
    assert '"error":{"status":2' in as_json.err


async def test_too_large_runs_are_refused(client: Client, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before they fill the memory; the error says what to leave out."""
    a = await album(client, kind)
    whole = run_reader.RunReader(client, events=True, children=True)
    read = await whole.run(a)
    size = sum(
        each.job.ByteSize() + sum(event.ByteSize() for event in each.events)
        for each in (read, *read.children)
    )
    monkeypatch.setattr(run_reader, "BYTE_LIMIT", size)
    assert (await run_reader.RunReader(client, events=True, children=True).run(a)).job == read.job
    monkeypatch.setattr(run_reader, "BYTE_LIMIT", size - 1)
    with pytest.raises(click.UsageError, match="--ignore events, --no-children"):
        await run_reader.RunReader(client, events=True, children=True).run(a)
    await run_reader.RunReader(client, events=False, children=True).run(a)
    await run_reader.RunReader(client, events=True, children=False).run(a)


async def test_deep_children(client: Client, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Children of children end at a level that Python's stack has room for."""
    parent = await client.submit(kind)
    ids = [parent.job_id]
    for _ in range(3):
        ids.append((await client.submit(kind, parent_job_id=ids[-1])).job_id)
    await client.cancel(parent.job_id)
    # The server cancels the children one after the other, each once it knows of its parent's end.
    async for _ in client.watch(ids[-1]):
        pass
    monkeypatch.setattr(run_reader, "DEPTH_LIMIT", 2)
    with pytest.raises(click.UsageError, match="over 2 levels"):
        await run_reader.RunReader(client, events=True, children=True).run(ids[0])
    await run_reader.RunReader(client, events=True, children=True).run(ids[1])


async def test_dropped_events_cannot_be_compared(server: Server, kind: str) -> None:
    """The jobs are still there, and it is said that their events cannot be compared."""
    async with Client(server.address) as client:
        a = await album(client, kind)
        b = await album(client, kind, retention=Retention(max_events=100))
        async with client.start(kind, retention=Retention(max_events=100)) as job:
            for number in range(400):
                job.log(f"line {number}")

        async def is_trimmed() -> bool:
            return (await client.get(job.id)).first_sequence > 1

        await eventually(is_trimmed)
        first, found = 0, None
        while found is None or first != (await client.get(job.id)).first_sequence:  # it was trimmed further
            first = (await client.get(job.id)).first_sequence
            found = await milepost("diff", job.id, job.id, address=server.address)
        ignoring = await milepost("diff", job.id, job.id, "--ignore", "events", address=server.address)
    assert (found.status, ignoring.status) == (1, 0)
    assert f"events  cannot be compared: A is kept from {first}" in found.out
    assert a != b


@pytest.mark.parametrize("columns", [80, 50])
async def test_on_a_terminal(shared_server: Server, client: Client, kind: str, columns: int) -> None:
    """No line is wider than the terminal, and the names, both durations and what differs are there."""
    a = await album(client, kind)
    b = await album(client, kind, title="A long title, as titles are " * 9, stages=("scan",))
    async with terminal("diff", a, b, address=shared_server.address, columns=columns) as screen:
        await screen.shows(lambda text: "--tolerance judges" in " ".join(text.split()))
        assert await screen.process.wait() == 1
    lines = screen.text.splitlines()
    assert max(map(len, lines)) <= columns
    assert [
        line.split()[0] for line in lines if line.startswith("  ") and line.rstrip().endswith("only in A")
    ] == [
        "merge",
        "stages.merge",
    ]
    assert "The runs differ: 4 differences." in " ".join(screen.text.split())
