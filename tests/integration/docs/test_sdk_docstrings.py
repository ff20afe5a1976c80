"""Run the examples of the SDK's docstrings unchanged against a real server."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import importlib
import inspect
import logging
import pydoc
import queue
import re
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from types import GenericAlias
from typing import Any, get_args, get_type_hints

import pytest

import milepost.client
from milepost import v1
from milepost.client import Client, JobContext, SyncClient, Worker
from milepost.client.logging import JobHandler
from milepost.fold import Fold
from milepost.v1 import Dispatch, Event, JobState
from tests.support.command import environment
from tests.support.forking import Forkery
from tests.support.server import ServerProcess

MODULES = [
    importlib.import_module(name)
    for name in (
        *("milepost.client", "milepost.client.errors", "milepost.client.logging", "milepost.client.tqdm"),
        "milepost.fold",
    )
]


def documented() -> Iterator[tuple[str, str]]:
    """All public modules, exports and members with their docstrings."""
    for module in MODULES:
        yield module.__name__, module.__doc__ or ""
        for name in module.__all__:
            exported = getattr(module, name)
            yield name, inspect.getdoc(exported) or ""
            if not inspect.isclass(exported):
                continue
            for member in dir(exported):
                found = inspect.getattr_static(exported, member)
                if not member.startswith("_") and getattr(found, "__doc__", None):
                    yield f"{name}.{member}", inspect.getdoc(found) or ""


def examples() -> Mapping[str, str]:
    """The indented paragraphs of each docstring as one program, without repetitions."""
    found: dict[str, str] = {}
    for name, text in documented():
        parts = re.findall(r"(?<=\n\n)(?: {4}.*\n?|\n(?= {4}))+", f"{text}\n")
        if parts and (program := textwrap.dedent("\n".join(parts))) not in found.values():
            found[name] = program
    return found


EXAMPLES = examples()
# Where this file names those that it runs.
RUN = Path(__file__).read_text().partition("\nEXAMPLES = ")[2]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, forkery: Forkery) -> Iterator[ServerProcess]:
    """A server for the examples alone, which choose any kinds."""
    with ServerProcess(tmp_path_factory.mktemp("docstrings") / "data", forkery=forkery) as server:
        yield server


@pytest.fixture
async def client(own: ServerProcess) -> AsyncIterator[Client]:
    """A client of that server."""
    async with Client(own.address) as client:
        yield client


def space(**names: Any) -> dict[str, Any]:
    """The names that examples assume."""
    return vars(v1) | vars(milepost.client) | {"Fold": Fold} | names


async def run(program: str, names: dict[str, Any]) -> None:
    """Run a program with these names, in the event loop or, without awaits, in a thread."""
    code = compile(program, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        running: Any = eval(code, names)
        await running
    else:
        await asyncio.to_thread(exec, code, names)


async def long_job(client: Client, **options: Any) -> str:
    """A succeeded job with more than fifty events."""
    async with client.start("long", **options) as job:
        for number in range(50):
            job.log(f"line {number}")
    return job.id


class Working:
    """A worker of the kind "archive" within a block."""

    def __init__(self, address: str) -> None:
        self.worker = Worker(address)
        self.worker.job("archive")(self._archive)

    async def _archive(self, job: JobContext) -> dict[str, object]:
        return {"output": job.input["output"]}

    async def __aenter__(self) -> None:
        self._running = asyncio.create_task(self.worker.run())

    async def __aexit__(self, *_: object) -> None:
        self.worker.stop()
        await self._running


@pytest.fixture
async def archiving(own: ServerProcess) -> AsyncIterator[None]:
    """A worker of jobs of the kind "archive"."""
    worker = Worker(own.address)

    @worker.job("archive")
    async def archive(job: JobContext) -> dict[str, object]:
        return {"output": job.input["output"]}

    running = asyncio.create_task(worker.run())
    yield
    worker.stop()
    await running


@pytest.mark.usefixtures("archiving")
@pytest.mark.parametrize("name", ["Client", "SyncClient"])
async def test_a_client(name: str, own: ServerProcess, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the events and the result."""
    assert '"127.0.0.1:7070"' in EXAMPLES[name]
    await run(EXAMPLES[name].replace("127.0.0.1:7070", own.address), space())
    *_, last, result = capsys.readouterr().out.splitlines()

    assert last in ("100%", "4 job_ended", "3 job_ended")
    assert result == "{'output': '/srv/photos.tar.zst'}"


async def test_a_watch(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the events after the cursor."""
    await run(EXAMPLES["Client.watch"], space(client=client, job_id=await long_job(client)))

    assert capsys.readouterr().out.splitlines()[0] == "42 log_written"


@pytest.mark.parametrize("name", ["Client.watch_jobs", "SyncClient.watch_jobs"])
async def test_a_board(name: str, own: ServerProcess, client: Client) -> None:
    """It has the running job, and follows it to its end."""
    shown: queue.SimpleQueue[tuple[str, JobState.ValueType]] = queue.SimpleQueue()

    class Shown(Fold):
        def apply(self, event: Event) -> None:
            super().apply(event)
            shown.put((self.job.job_id, self.job.state))

    with SyncClient(own.address) as plain:
        names = space(client=client if name.startswith("Client") else plain, Fold=Shown)
        async with client.start("long") as job:
            job.log("it runs")
            showing = asyncio.create_task(run(EXAMPLES[name], names))
            while shown.empty():  # until the board is open, which shows only jobs that run
                job.log("it goes on")
                await asyncio.sleep(0.05)
        ended = (job.id, JobState.JOB_STATE_SUCCEEDED)
        while await asyncio.to_thread(shown.get, timeout=120) != ended:
            pass
        if name.startswith("Client"):
            showing.cancel()
    # The other one ends with its client.
    await asyncio.gather(showing, return_exceptions=True)


async def test_subscriptions(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """They print both jobs, until both have ended."""
    for job_id in ("first", "second"):
        await long_job(client, job_id=job_id)
    await run(EXAMPLES["Subscriptions"], space(client=client))
    ends = [line for line in capsys.readouterr().out.splitlines() if "has ended" in line]

    assert sorted(ends) == ["first has ended", "second has ended"]


async def test_a_watch_of_how_a_job_stands(client: Client) -> None:
    """The fold equals the job."""
    names = space(client=client, job_id=await long_job(client))
    await run(EXAMPLES["StateWatch"], names)

    assert names["fold"].job == await client.get(names["job_id"])


async def test_a_stage(client: Client) -> None:
    """Its progress is the length of the chunks."""
    digest = hashlib.sha256()
    async with client.start("hash") as job:
        await run(EXAMPLES["StageContext"], space(job=job, size=3, chunks=[b"ab", b"c"], digest=digest))
    (stage,) = (await client.get(job.id)).stages

    assert (stage.current, stage.total, digest.digest()) == (3, 3, hashlib.sha256(b"abc").digest())


@pytest.mark.parametrize("name", ["Client.attach", "SyncClient.attach"])
async def test_attaching(name: str, own: ServerProcess, client: Client) -> None:
    """The job has the block's result."""
    rendered: list[str] = []

    async def render(page: str) -> None:
        rendered.append(page)

    job = await client.submit("pages", dispatch=Dispatch.DISPATCH_EXTERNAL)
    with SyncClient(own.address) as plain:
        names: dict[str, Any] = {"client": plain, "render": rendered.append}
        if name.startswith("Client"):
            names = {"client": client, "render": render}
        await run(EXAMPLES[name], space(job_id=job.job_id, pages=["a", "b"], **names))

    assert (rendered, await client.result(job.job_id)) == (["a", "b"], {"pages": 2})


@pytest.mark.parametrize("name", ["Client.start", "SyncClient.start"])
async def test_starting(name: str, own: ServerProcess, client: Client) -> None:
    """The job has succeeded with its block."""
    with SyncClient(own.address) as plain:
        names = space(client=client if name.startswith("Client") else plain)
        await run(EXAMPLES[name], names)

    assert (await client.get(names["job"].id)).state == JobState.JOB_STATE_SUCCEEDED


async def test_a_worker(own: ServerProcess, client: Client, tmp_path: Path) -> None:
    """As a program: a job of either kind succeeds."""
    main = 'if __name__ == "__main__":\n    worker.main()\n'
    assert main in EXAMPLES["Worker"]
    script = tmp_path / "transcribing.py"
    script.write_text(
        "from types import SimpleNamespace\n"
        "from milepost.client import Worker\n\n"
        "async def tracks_of(content):\n"
        "    for track in content['tracks']:\n"
        "        yield track\n\n"
        "native = SimpleNamespace(render=lambda scene, on_frame: on_frame(len(scene)))\n\n"
        + EXAMPLES["Worker"].replace("127.0.0.1:7070", own.address).replace(main, "")
        + f"\n{main}"
    )
    worker = await asyncio.create_subprocess_exec(sys.executable, script, env=environment(None))
    try:
        transcribed = await client.submit("transcribe", {"tracks": ["a", "b"]})
        rendered = await client.submit("render", {"scene": "sea"})
        assert await client.result(transcribed.job_id, timeout=120) == {"words": 1204}
        await client.result(rendered.job_id, timeout=120)
    finally:
        worker.terminate()
        await worker.wait()
    (tracks,) = (await client.get(transcribed.job_id)).stages
    (frames,) = (await client.get(rendered.job_id)).stages

    assert (tracks.current, tracks.total, frames.current) == (2, 2, 3)


async def test_a_handler_of_log_records() -> None:
    """It is installed at the root logger."""
    before = set(logging.getLogger().handlers)
    await run(EXAMPLES["milepost.client.logging"], space())
    (added,) = set(logging.getLogger().handlers) - before
    logging.getLogger().removeHandler(added)

    assert isinstance(added, JobHandler)


@pytest.mark.parametrize("name", ["milepost.client", "milepost.client.tqdm"])
async def test_imports(name: str) -> None:
    """The imports work."""
    await run(EXAMPLES[name], space())


def test_every_example_is_run() -> None:
    """A new example needs a test here."""
    assert [name for name in EXAMPLES if f'"{name}"' not in RUN] == []


@pytest.mark.parametrize("name", ["follow", "list", "workers"])
def test_help_of_a_client_without_asyncio(name: str) -> None:
    """It shows a plain iterator of the same items as the method of `Client`."""
    verb = getattr(SyncClient, name)
    item, _ = get_args(get_type_hints(getattr(Client, name))["return"])

    assert get_type_hints(verb)["return"] == GenericAlias(Iterator, (item,))
    assert "-> collections.abc.Iterator[" in pydoc.plain(pydoc.render_doc(verb))


@pytest.mark.parametrize(
    "name", [name for name in dir(SyncClient) if callable(getattr(SyncClient, name)) and name[0] != "_"]
)
def test_nothing_asynchronous_is_shown_of_a_client_without_asyncio(name: str) -> None:
    """Neither in parameters and results, nor in examples."""
    shown = pydoc.plain(pydoc.render_doc(getattr(SyncClient, name)))

    assert re.findall(r"Async\w+\[|\basync |\bawait\b|-> .*\b(?:Watch|JobsWatch|Attached)$", shown) == []
