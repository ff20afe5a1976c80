"""The command on a terminal."""

from __future__ import annotations

import asyncio
import re
import signal
import uuid

import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from rich.cells import cell_len

from milepost.client import Client, JobContext
from milepost.v1 import Dispatch
from tests.support.command import WITH_JOB_CONTROL, terminal
from tests.support.proxy import CuttableProxy
from tests.support.reflowing import ReflowingTerminal
from tests.support.scripted import Context, ScriptedServer, scripted
from tests.support.server import MILEPOST, ServerProcess
from tests.support.working import working

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture
def kind() -> str:
    """A kind of job of the test's own, short enough for a line."""
    return f"t-{uuid.uuid4().hex[:12]}"


class Halting:
    """A handler that pauses midway for the test."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def run(self, job: JobContext) -> dict[str, object]:
        """Two stages."""
        job.plan(["hash", "pack"])
        async with job.stage("hash", total=130.4e6, unit="bytes") as stage:
            stage.advance(61.2e6)
            job.log("unreadable: lib/x", severity="warning", stage=stage)
            await self.go_on.wait()
            stage.advance(69.2e6)
        async with job.stage("pack"):
            pass
        job.artifact("manifest", "file:///srv/manifest.json", size_bytes=512)
        return {"files": 3}


async def test_a_sequence_that_the_job_has_not_reached(
    shared_server: ServerProcess, client: Client, kind: str
) -> None:
    """The last picture counts the events that there are."""
    job = await client.submit(kind, job_id=kind)
    await client.cancel(job.job_id)
    async with terminal("watch", kind, "--after", "99", address=shared_server.address) as shown:
        await shown.shows(lambda text: "is 3" in text)
        await shown.process.wait()

    assert set(re.findall(r"\d+ events", shown.text)) == {"3 events"}


@pytest.mark.parametrize("columns", [80, 120])
async def test_a_job_is_drawn(shared_server: ServerProcess, client: Client, kind: str, columns: int) -> None:
    """Midway and at its end: never wider than the terminal, the cursor is restored, and the result follows."""
    halting = Halting()
    async with working(shared_server.address, **{kind: halting.run}):
        await client.submit(kind, job_id=kind)
        async with terminal("watch", kind, address=shared_server.address, columns=columns) as shown:
            await shown.shows(lambda text: "61.2 of 130.4 MB" in text)
            await shown.shows(lambda text: "● live" in text)
            halting.go_on.set()
            status = await shown.process.wait()
            await shown.shows(lambda text: '"files": 3' in text)

    last = shown.text[shown.text.rindex(f"{kind} {kind}") :]
    lines = [line.rstrip() for line in last.splitlines()]
    events = (await client.get(kind)).last_sequence

    assert status == 0
    assert columns >= max(cell_len(line) for line in shown.text.splitlines())
    assert (shown.raw.count(HIDE), shown.raw.count(SHOW)) == (1, 1)
    assert re.split(r" {3,}", lines[0])[0] == f"{kind} {kind}  succeeded"
    assert lines[1] == "━" * columns
    assert [line.strip()[:6] for line in lines[3:5]] == ["✓ hash", "✓ pack"]
    assert lines[6].endswith("  hash | unreadable: lib/x")
    assert lines[8:] == [
        "  manifest  512 B  file:///srv/manifest.json",
        "",
        f"{events} events",
        "{",
        '  "files": 3',
        "}",
    ]


async def test_a_limit_that_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told at once, as the server says it: the call is made again for as long as a call may take."""
    calls = 0

    async def refuse(_: ScriptedServer, request: object, context: Context) -> None:
        nonlocal calls
        calls += 1
        details = [Any(), Any()]
        details[0].Pack(ErrorInfo(reason="LIMIT_REACHED", domain="milepost.v1"))
        details[1].Pack(RetryInfo(retry_delay=Duration(seconds=0 if calls < 3 else 1000)))
        status = Status(code=code_pb2.RESOURCE_EXHAUSTED, message="The queue is full.", details=details)
        await context.abort_with_status(rpc_status.to_status(status))

    monkeypatch.setattr(ScriptedServer, "SubmitJob", refuse)
    async with scripted() as server, terminal("submit", "k", address=server.address) as shown:
        status = await shown.process.wait()
        await shown.shows(lambda text: "Error: " in text)

    assert (status, calls) == (5, 3)
    assert shown.text.splitlines() == [
        "The queue is full. Trying again for a while …",
        "Error: The queue is full.",
    ]


async def test_what_is_not_followed_is_not_live(
    shared_server: ServerProcess, client: Client, kind: str
) -> None:
    """The last picture of a job that goes on: where the events so far were asked for, and of one job and of many."""
    await client.submit(kind, job_id=kind)
    for which in ((kind,), ("--kind", kind)):
        async with terminal("watch", *which, "--no-follow", address=shared_server.address) as shown:
            await shown.process.wait()
        screen = ReflowingTerminal(80)
        screen.write(shown.raw)
        assert [row for row in screen.rows if "live" in row] == []
        assert any("queued" in row for row in screen.rows)


async def test_a_warning_comes_above_the_picture(
    shared_server: ServerProcess, client: Client, kind: str
) -> None:
    """The SDK warns of a lost connection; the picture below stays intact."""
    await client.submit(kind, job_id=kind)
    with CuttableProxy(shared_server.address) as proxy:
        async with terminal("watch", kind, address=proxy.address) as shown:
            await shown.shows(lambda text: "● live" in text)
            proxy.refuse()
            proxy.cut()
            await shown.shows(lambda text: "Warning: " in text)
            proxy.allow()
            await client.cancel(kind)
            status = await shown.process.wait()
            await shown.shows(lambda text: "3 events" in text)
    screen = ReflowingTerminal(80)
    screen.write(shown.raw)
    rows = screen.rows
    (start,) = (number for number, row in enumerate(rows) if row.startswith(f"{kind} {kind}  cancelled"))

    assert status == 3
    assert rows[0].startswith(f"Warning: job {kind}: 5 consecutive connections delivered no events: ")
    assert [row for row in rows if kind in row and not row.startswith("Warning")] == [rows[start]]
    assert rows[-1] == "3 events"


async def test_the_words_are_the_same_without_color(
    shared_server: ServerProcess, client: Client, kind: str
) -> None:
    """NO_COLOR is respected."""
    await client.submit(kind, job_id=kind)
    await client.cancel(kind)
    async with terminal("watch", kind, address=shared_server.address, env={"NO_COLOR": "1"}) as shown:
        await shown.process.wait()
        await shown.shows(lambda text: "3 events" in text)

    assert re.findall(r"\x1b\[[0-9;]*[34][0-7][;m]", shown.raw) == []
    assert f"{kind} {kind}  cancelled" in shown.text


async def test_a_dumb_terminal_gets_the_plain_view(
    shared_server: ServerProcess, client: Client, kind: str
) -> None:
    """A terminal that cannot move its cursor, or on request."""
    await client.submit(kind, job_id=kind)
    await client.cancel(kind)
    for arguments, env in ((("watch", kind), {"TERM": "dumb"}), (("watch", kind, "--output", "plain"), {})):
        async with terminal(*arguments, address=shared_server.address, env=env) as shown:
            await shown.process.wait()
            await shown.shows(lambda text: text.endswith("cancelled\n"))

        assert [line.split("  ", 1)[1] for line in shown.text.splitlines()] == [
            f"{kind} {kind} submitted",
            "cancellation requested",
            "cancelled",
        ]


async def test_ctrl_c_restores_the_terminal(shared_server: ServerProcess, client: Client, kind: str) -> None:
    """The cursor is restored, and a line says how to resume."""
    await client.submit(kind, job_id=kind)
    async with terminal("watch", kind, address=shared_server.address) as shown:
        await shown.shows(lambda text: "waiting 00:" in text)
        shown.process.send_signal(signal.SIGINT)
        status = await shown.process.wait()
        await shown.shows(lambda text: "To resume: " in text)

    assert status == 130
    assert (shown.raw.count(HIDE), shown.raw.count(SHOW)) == (1, 1)
    assert "Traceback" not in shown.text


@pytest.mark.parametrize(("expected", "command"), [(5, "list --kind {kind}"), (10, "get {kind}-{x}")])
async def test_lists_and_jobs_fit_the_terminal(
    shared_server: ServerProcess, client: Client, kind: str, expected: int, command: str
) -> None:
    """Long lines are truncated, not wrapped; the ids in a list are whole, for users to copy."""
    x = "x" * 60
    await client.submit(
        kind,
        job_id=f"{kind}-{x}",
        owner="somebody with a long name",
        stages=["scan"],
        dispatch=Dispatch.DISPATCH_EXTERNAL,
    )
    arguments = command.format(kind=kind, x=x).split()
    async with terminal(*arguments, address=shared_server.address, columns=60) as shown:
        status = await shown.process.wait()
        await shown.shows(lambda text: kind[:6] in text)
    lines = shown.text.splitlines()

    assert (status, len(lines)) == (0, expected)
    assert max(cell_len(line) for line in lines) <= 60
    if command.startswith("list"):
        assert "".join(lines[2:4]) == f"{kind}-{x}"


@pytest.mark.parametrize(
    ("expected", "number"),
    [(130, signal.SIGINT), (143, signal.SIGTERM), (143, signal.SIGHUP), (-signal.SIGQUIT, signal.SIGQUIT)],
)
async def test_every_exit_restores_the_terminal(
    shared_server: ServerProcess, client: Client, kind: str, expected: int, number: signal.Signals
) -> None:
    """However the command ends, by a key or a signal: cursor, echo and line mode are restored."""
    await client.submit(kind, job_id=kind)
    async with terminal("watch", kind, address=shared_server.address) as shown:
        before = shown.settings()
        await shown.shows(lambda text: "waiting 00:" in text)
        shown.process.send_signal(number)
        status = await shown.process.wait()
        await shown.shows(lambda _: shown.raw.rfind(SHOW) > shown.raw.rfind(HIDE))
        after = shown.settings()

    assert (status, after) == (expected, before)
    assert "\x1b]" not in shown.raw  # its title was never another one
    assert "defect" not in shown.text


async def test_a_view_that_is_suspended(shared_server: ServerProcess, client: Client, kind: str) -> None:
    """Ctrl-Z restores the terminal; in the foreground again the view continues."""
    await client.submit(kind, job_id=kind)
    script = 'set -m; "$0" watch "$1"; echo suspended $?; read line; fg >/dev/null; echo ended $?'
    program = (*WITH_JOB_CONTROL, "sh", "-c", script, MILEPOST)
    async with terminal(kind, address=shared_server.address, program=program) as shown:
        await shown.shows(lambda text: "waiting 00:" in text)
        shown.type(b"\x1a")
        await shown.shows(lambda text: "suspended 1" in text)
        suspended = shown.raw
        shown.type(b"\n")
        await shown.shows(lambda text: "waiting 00:" in text.partition("suspended")[2])
        resumed = shown.raw
        await client.cancel(kind)
        await shown.process.wait()
        await shown.shows(lambda text: "ended 3" in text)

    assert suspended.rfind(SHOW) > suspended.rfind(HIDE)
    assert resumed.rfind(HIDE) > resumed.rfind(SHOW)
    assert shown.raw.rfind(SHOW) > shown.raw.rfind(HIDE)


async def test_a_view_in_the_background_leaves_the_terminal_alone(
    shared_server: ServerProcess, client: Client, kind: str
) -> None:
    """In the background it must not draw over others' output."""
    await client.submit(kind, job_id=kind)
    script = 'set -m; "$0" watch "$1" & echo begun; wait $!; echo ended $?'
    program = (*WITH_JOB_CONTROL, "sh", "-c", script, MILEPOST)
    async with terminal(kind, address=shared_server.address, program=program) as shown:
        await shown.shows(lambda text: "begun" in text)
        await client.cancel(kind)
        await shown.process.wait()
        await shown.shows(lambda text: "ended 3" in text)

    assert HIDE not in shown.raw
