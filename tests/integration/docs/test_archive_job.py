"""The archive job, with a real server and a real worker."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import url2pathname

import pytest

from milepost.client import Client, Worker
from milepost.client.errors import JobCancelled, JobFailed
from milepost.examples.archive import job as archive_job
from milepost.v1 import Artifact, Event, Severity, StageState
from tests.support.server import MILEPOST, ServerProcess

STAGES = ["scan", "hash", "pack", "verify", "report"]

# The step of each stage, by its name in the job's module.
STEPS = {"scan": "scan", "hash": "hash_files", "pack": "pack", "verify": "verify", "report": "manifest"}


@pytest.fixture
def kind() -> str:
    """A kind of the test's own."""
    return f"archive-{uuid.uuid4().hex}"


@pytest.fixture
async def client(shared_server: ServerProcess, kind: str) -> AsyncIterator[Client]:
    """A client, and a worker for archives."""
    worker = Worker(shared_server.address)
    worker.job(kind)(archive_job.archive)
    running = asyncio.create_task(worker.run())
    async with Client(shared_server.address) as connected:
        yield connected
    worker.stop()
    await running


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory to archive."""
    root = tmp_path / "root"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg" / "module.py").write_bytes(b"x = 1\n" * 1000)
    (root / "large").write_bytes(os.urandom(1_000_000))
    (root / "empty").touch()
    return root


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The path of the archive."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "root.tar.zst"


@pytest.fixture
def older(output: Path) -> Path:
    """An existing archive."""
    output.write_bytes(b"old")
    return output


def sha256(path: Path) -> str:
    """The hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def size_of(path: Path) -> int:
    """The size of a file, or of all files in a directory."""
    if path.is_file():
        return path.stat().st_size
    return sum(size_of(inner) for inner in path.iterdir())


class Gate:
    """Blocks a job at a step until the test opens it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()
        step = getattr(archive_job, STEPS[stage])

        def held(*args: object, **options: object) -> object:
            self._reached.set()
            assert self._opened.wait(120)
            return step(*args, **options)

        monkeypatch.setattr(archive_job, STEPS[stage], held)

    @asynccontextmanager
    async def reached(self) -> AsyncIterator[None]:
        """Run the block while the job is held; release it at the end."""
        try:
            assert await asyncio.to_thread(self._reached.wait, 120)
            yield
        finally:
            self._opened.set()


async def test_a_directory_becomes_an_archive_with_a_manifest(
    client: Client, kind: str, root: Path, output: Path
) -> None:
    """The result has the paths and the counts of both; the artifacts have size and hash."""
    job = await client.submit(kind, {"path": str(root), "output": str(output)})

    result = await client.result(job.job_id)

    manifest_path = output.with_name("root.tar.zst.manifest.json")
    assert {output, manifest_path} == set(output.parent.iterdir())
    assert {
        "archive": str(output),
        "manifest": str(manifest_path),
        "files": 3,
        "bytes": size_of(root),
        "archive_bytes": size_of(output),
        "sha256": sha256(output),
        "manifest_sha256": sha256(manifest_path),
        "links": 0,
        "left_out": 0,
    } == result
    manifest = json.loads(manifest_path.read_bytes())
    assert {file["path"] for file in manifest["files"]} == {"large", "empty", "pkg/module.py"}
    assert all(sha256(root / file["path"]) == file["sha256"] for file in manifest["files"])
    ended = await client.get(job.job_id)
    assert [(artifact.name, _path(artifact), artifact.media_type) for artifact in ended.artifacts] == [
        ("archive", output, "application/zstd"),
        ("manifest", manifest_path, "application/json"),
    ]
    for artifact in ended.artifacts:
        assert artifact.size_bytes == size_of(_path(artifact))
        assert artifact.sha256 == sha256(_path(artifact))


async def test_every_stage_is_planned_and_succeeds(
    client: Client, kind: str, root: Path, output: Path
) -> None:
    """Stages in bytes count all bytes, and have a total."""
    job = await client.submit(kind, {"path": str(root), "output": str(output)})
    await client.result(job.job_id)

    ended = await client.get(job.job_id)

    size = size_of(root)
    assert [stage.stage_id for stage in ended.stages] == STAGES
    assert {stage.state for stage in ended.stages} == {StageState.STAGE_STATE_SUCCEEDED}
    assert [(stage.current, stage.total, stage.unit) for stage in ended.stages[1:4]] == [
        (size, size, "bytes")
    ] * 3


async def test_the_same_directory_gives_the_same_archive(
    client: Client, kind: str, root: Path, output: Path
) -> None:
    """Even if the archive is in the directory itself, which leaves it out."""
    hashes = []
    for path in (output, root / "a.tar.zst", root / "a.tar.zst", root / "pkg" / "b.tar.zst"):
        job = await client.submit(kind, {"path": str(root), "output": str(path), "exclude": ["a.tar.zst*"]})
        hashes.append((await client.result(job.job_id))["sha256"])

    assert hashes == [hashes[0]] * 4


async def test_what_is_left_out_is_told(client: Client, kind: str, root: Path, output: Path) -> None:
    """Warnings name links and pipes one by one up to a limit; the result counts them."""
    (root / "in").symlink_to("pkg")
    (root / "out").symlink_to("/etc")
    os.mkfifo(root / "pipe")
    job = await client.submit(kind, {"path": str(root), "output": str(output)})

    result = await client.result(job.job_id)

    assert (result["links"], result["left_out"]) == (1.0, 2.0)
    assert await _warnings(client, job.job_id) == [
        ("scan", "in: is a symbolic link to pkg, kept as such"),
        ("scan", "out: is a symbolic link out of the directory, to /etc; left out"),
        ("scan", "pipe: is neither a file nor a directory; left out"),
    ]


async def test_many_warnings_are_summed_up(client: Client, kind: str, root: Path, output: Path) -> None:
    """A tree full of links does not flood the log."""
    for n in range(25):
        (root / f"link-{n:02}").symlink_to("pkg")
    job = await client.submit(kind, {"path": str(root), "output": str(output)})
    await client.result(job.job_id)

    warnings = await _warnings(client, job.job_id)

    assert len(warnings) == 21
    assert warnings[-1] == ("scan", "5 more such entries; the manifest lists them")


@pytest.mark.parametrize("stage", STAGES)
async def test_cancelling_leaves_nothing_behind(
    client: Client, kind: str, root: Path, older: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any stage: the partial files are gone once the job is CANCELLED, and an older archive is unchanged."""
    gate = Gate(monkeypatch, stage)
    job = await client.submit(kind, {"path": str(root), "output": str(older)})

    async with gate.reached():
        assert len(list(older.parent.iterdir())) > 1
        await client.cancel(job.job_id, reason="Not needed.", grace_period=60)
        async with client.watch(job.job_id) as events:
            async for event in events:
                if event.HasField("cancel_acknowledged"):
                    break
    with pytest.raises(JobCancelled) as caught:
        await client.result(job.job_id)

    assert not caught.value.cancellation.forced
    assert [older] == list(older.parent.iterdir())
    assert hashlib.sha256(b"old").hexdigest() == sha256(older)
    ended = await client.get(job.job_id)
    assert {s.stage_id: s.state for s in ended.stages}[stage] == StageState.STAGE_STATE_CANCELLED


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"path": "{root}/missing", "output": "{out}/a.tar.zst"}, "PATH_NOT_FOUND"),
        ({"path": "{root}/empty", "output": "{out}/a.tar.zst"}, "NOT_A_DIRECTORY"),
        ({"path": "{root}", "output": "{out}/missing/a.tar.zst"}, "OUTPUT_NOT_WRITABLE"),
        ({"path": "{root}", "output": "{root}/empty/a.tar.zst"}, "OUTPUT_NOT_WRITABLE"),
        ({"path": "{root}", "output": "/proc/a.tar.zst"}, "OUTPUT_NOT_WRITABLE"),
        ({"path": "{root}", "output": "{out}/a.zip"}, "BAD_INPUT"),
        ({"path": "{root}", "output": 7}, "BAD_INPUT"),
        ({"output": "{out}/a.tar.zst"}, "BAD_INPUT"),
        ({}, "BAD_INPUT"),
    ],
)
async def test_what_cannot_be_done_fails_clearly(
    client: Client, kind: str, root: Path, output: Path, values: dict[str, object], code: str
) -> None:
    """The failure has a code and a message, no traceback; no file is left behind."""
    given = {
        name: value.format(root=root, out=output.parent) if isinstance(value, str) else value
        for name, value in values.items()
    }
    job = await client.submit(kind, given)

    with pytest.raises(JobFailed) as caught:
        await client.result(job.job_id)

    failure = caught.value.failure
    assert (failure.code, failure.detail, failure.retryable) == (code, "", False)
    assert failure.message.endswith(".")
    assert list(output.parent.iterdir()) == []


async def test_files_that_change_meanwhile_fail_the_job(
    client: Client, kind: str, root: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive differs from the hashes; the failure is retryable."""
    gate = Gate(monkeypatch, "pack")
    job = await client.submit(kind, {"path": str(root), "output": str(output)})

    async with gate.reached():
        (root / "large").write_bytes(b"other")
    with pytest.raises(JobFailed) as caught:
        await client.result(job.job_id)

    assert (caught.value.failure.code, caught.value.failure.retryable) == ("VERIFY_MISMATCH", True)
    assert "large" in caught.value.failure.message
    assert await _warnings(client, job.job_id) == [("pack", "large: changed while it was being archived")]
    assert list(output.parent.iterdir()) == []


async def test_files_that_vanish_meanwhile_are_left_out(
    client: Client, kind: str, root: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive is good without them, and says so."""
    gate = Gate(monkeypatch, "pack")
    job = await client.submit(kind, {"path": str(root), "output": str(output)})

    async with gate.reached():
        (root / "large").unlink()
    result = await client.result(job.job_id)

    assert (result["files"], result["left_out"]) == (2.0, 1.0)
    assert await _warnings(client, job.job_id) == [("pack", "large: no such file or directory; left out")]


@pytest.fixture
def worker_process(shared_server: ServerProcess, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The worker as the README starts it."""
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [MILEPOST, "worker", "examples.archive:worker", "--address", shared_server.address],
            cwd=Path(__file__).parents[3],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


async def test_the_worker_of_the_example_takes_jobs_of_its_kind(
    shared_server: ServerProcess, worker_process: subprocess.Popen[bytes], root: Path, output: Path
) -> None:
    """``milepost worker examples.archive:worker`` archives until it is stopped."""
    async with Client(shared_server.address) as client:
        job = await client.submit("archive", {"path": str(root), "output": str(output)})
        result = await client.result(job.job_id)

    assert result["sha256"] == sha256(output)
    worker_process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker_process.wait) == 0


def _path(artifact: Artifact) -> Path:
    return Path(url2pathname(artifact.uri.removeprefix("file://")))


async def _warnings(client: Client, job_id: str) -> list[tuple[str, str]]:
    """The stage and the text of each warning."""
    events: list[Event] = [event async for event in client.watch(job_id, follow=False)]
    lines: list[Any] = [event.log_written for event in events if event.HasField("log_written")]
    return [(line.stage_id, line.text) for line in lines if line.severity == Severity.SEVERITY_WARNING]
