"""The multitrack example under the worker engine, with a real server: speech becomes a transcript."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from examples.multitrack import multitrack_events_pb2 as events
from examples.multitrack.audio import read, seconds_of
from examples.multitrack.pipeline import RECORDING, pipeline, submit_recording
from examples.multitrack.recording import Recording
from examples.multitrack.recording_job import STAGES
from examples.multitrack.sample import SHORT
from examples.multitrack.transcript import word_errors
from examples.multitrack.typed_events import typed_event
from milepost.client import Client
from milepost.client.errors import JobCancelled, JobFailed, JobLost
from milepost.v1 import JobState, RetryPolicy, StageState
from tests.support.multitrack import BRIEF, copied_recording, hashes_of, names_in, working_pipeline
from tests.support.multitrack_steps import DELETIONS, STEPS, stopping_at
from tests.support.rpc import eventually
from tests.support.server import Server, ServerProcess

STAGE_IDS = [stage.stage_id for stage in STAGES]
TRACK_STAGES = ["pad_track", "transcribe_track"]
GUARD = 200.0
"""Time limit in seconds; only against hangs, since speech takes a busy machine long to recognise."""


@pytest.fixture
async def client(shared_server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    """A client; the pipeline uses the same server."""
    monkeypatch.setenv("MILEPOST_ADDRESS", shared_server.address)
    async with Client(shared_server.address) as connected:
        yield connected


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The directory of runs."""
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


class Receiver:
    """A web server that keeps what is posted to it."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str, bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((self.path, self.headers["Webhook-Id"], body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A web server."""
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


async def test_a_recording_becomes_a_transcript(
    client: Client, tmp_path: Path, runs: Path, receiver: Receiver
) -> None:
    """Every stage succeeds; result, files, webhook and typed events say the same; what may not be kept is gone."""
    recording = copied_recording(tmp_path)
    described = Recording.in_directory(recording)
    async with working_pipeline():
        job = await submit_recording(
            recording, runs, webhook_url=f"{receiver.url}/hook", chat_url=f"{receiver.url}/chat"
        )
        result = await client.result(job.job_id, timeout=GUARD)

    ended = await client.get(job.job_id)
    assert [(stage.stage_id, stage.state) for stage in ended.stages] == [
        (stage_id, StageState.STAGE_STATE_SUCCEEDED) for stage_id in STAGE_IDS
    ]
    assert (ended.workload, ended.workload_unit) == (described.duration * 3, "seconds")
    for name in ("ada", "ben", "cleo"):
        child = await client.get(f"{job.job_id}-{name}")
        assert [(stage.stage_id, stage.state, stage.unit) for stage in child.stages] == [
            (stage_id, StageState.STAGE_STATE_SUCCEEDED, "seconds") for stage_id in TRACK_STAGES
        ]
    # What was heard, against what was said.
    heard = {turn["speaker"]: "" for turn in result["transcript"]}
    for turn in result["transcript"]:
        heard[turn["speaker"]] += f" {turn['text']}"
        # A turn is where its speaker speaks, give or take what belongs to the first and last sound.
        assert any(
            turn["start"] - 0.5 < start < turn["end"] for who, start, _ in SHORT if who == turn["speaker"]
        )
    counted = [word_errors(track.reference, heard[track.track_id.title()]) for track in described.tracks]
    assert result["word_errors"] == (counted[0] + counted[1] + counted[2]).to_json()
    # What was made, and what was sent.
    run = runs / job.job_id
    made = hashes_of(run)
    assert {artifact.name: artifact.sha256 for artifact in ended.artifacts} == {
        name: made[name]
        for name in ("mixdown.flac", "waveform.json", "transcript.json", "topics.json", "headline.json")
    }
    assert seconds_of(run / "mixdown.flac") == pytest.approx(described.duration, abs=0.001)
    sent = {path: (message_id, json.loads(body)) for path, message_id, body in receiver.received}
    assert sent == {
        "/chat": (f"{job.job_id}.chat", {"text": f"“{result['title']}” is transcribed: {result['summary']}"}),
        "/hook": (
            f"{job.job_id}.webhook",
            {k: v for k, v in result.items() if k not in {"word_errors", "consent", "webhook"}},
        ),
    }
    # What a subscriber sees.
    async with client.watch(job.job_id) as watch:
        messages = [message async for event in watch if (message := typed_event(event)) is not None]
    assert [type(message) for message in messages] == [
        events.Participants,
        events.Duration,
        events.Waveform,
        events.Transcript,
        *[events.Topic] * len(result["topics"]),
        events.FinalTitle,
        events.FinalSummary,
        events.Consent,
    ]
    assert [m.title for m in messages if isinstance(m, events.FinalTitle)] == [result["title"]]
    assert [m.title for m in messages if isinstance(m, events.Topic)] == [
        topic["title"] for topic in result["topics"]
    ]
    # Consent.
    assert result["consent"] == {"withheld": ["Cleo"], "remaining": []}
    assert names_in(recording) == ["ada.flac", "ben.flac", "recording.json"]
    assert [name for name in made if "cleo" in name] == ["words/cleo.json"]


async def test_the_mixdown_is_the_sum_of_what_may_be_kept(client: Client, tmp_path: Path, runs: Path) -> None:
    """Sample by sample, clipped; and a track begins at its offset."""
    recording = copied_recording(tmp_path)
    described = Recording.in_directory(recording)
    async with working_pipeline():
        job = await submit_recording(recording, runs)
        await client.result(job.job_id, timeout=GUARD)
    run = runs / job.job_id

    padded = [np.concatenate(list(read(run / "padded" / f"{name}.flac"))) for name in ("ada", "ben")]

    mixed = np.concatenate(list(read(run / "mixdown.flac")))
    expected = np.clip(padded[0].astype(np.int32) + padded[1], -32_768, 32_767)
    assert np.array_equal(mixed, expected)
    offset = round(described.tracks[1].offset * 16_000)
    assert not padded[1][:offset].any()
    source = np.concatenate(list(read(recording / "ben.flac")))
    assert np.array_equal(padded[1][offset : offset + len(source)], source)


SLOW = set(STEPS) - {"get_recording", "transcribe_track", "mixdown_tracks", "cleanup_consent"}


@pytest.mark.parametrize(
    "stage", [pytest.param(stage, marks=[pytest.mark.nightly] * (stage in SLOW)) for stage in STEPS]
)
async def test_cancelling_in_a_stage_leaves_nothing(
    client: Client, tmp_path: Path, runs: Path, stage: str
) -> None:
    """At any stage: no file of the run is left once the job is CANCELLED, all of its children have ended, and no
    thread of it runs on.
    """
    reached, opened = threading.Event(), threading.Event()

    def hold(point: str) -> None:
        if point == stage:
            reached.set()
            assert opened.wait(GUARD)

    with stopping_at(hold):
        async with working_pipeline():
            job = await submit_recording(copied_recording(tmp_path, BRIEF), runs)
            assert await asyncio.to_thread(reached.wait, GUARD)
            before = threading.active_count()
            assert (runs / job.job_id).is_dir()
            await client.cancel(job.job_id, grace_period=60)
            opened.set()
            with pytest.raises(JobCancelled):
                await client.result(job.job_id, timeout=GUARD)
            children = [child async for child in client.list(parent_job_id=job.job_id)]

    assert [child.job_id for child in children if child.state == JobState.JOB_STATE_RUNNING] == []
    assert names_in(runs) == []

    async def have_ended() -> bool:
        return threading.active_count() <= before

    await eventually(have_ended)


@contextmanager
def worker_process(*arguments: str, address: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module as a worker; kill it at the end if it still runs."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MILEPOST_")}
    environment["MILEPOST_ADDRESS"] = address
    with log.open("ab") as file:
        process = subprocess.Popen([sys.executable, "-m", *arguments], env=environment, stderr=file)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def impatient_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerProcess]:
    """A server that the pipeline uses, with leases that are short, and longer than a busy machine holds a worker up."""
    with ServerProcess(tmp_path / "data", "--lease-ttl", "6s") as server:
        monkeypatch.setenv("MILEPOST_ADDRESS", server.address)
        yield server


@pytest.mark.parametrize(
    "point", [pytest.param(one, marks=[pytest.mark.nightly] * (one != "deletion 2")) for one in DELETIONS]
)
async def test_consent_holds_after_a_crash(
    impatient_server: ServerProcess, tmp_path: Path, runs: Path, point: str
) -> None:
    """A worker that is killed between two deletions: the next attempt deletes the rest and proves the whole, and does
    nothing again that was done.
    """
    recording = copied_recording(tmp_path, BRIEF)
    forbidden = {hashes_of(recording)["cleo.flac"]}
    address = impatient_server.address
    log = tmp_path / "worker.log"
    async with Client(address) as client:
        job = await submit_recording(recording, runs)
        (tmp_path / point).write_text("kill")
        with worker_process(
            "tests.support.staged_worker", str(tmp_path), address=address, log=log
        ) as process:
            assert await asyncio.to_thread(process.wait, GUARD) == -signal.SIGKILL
        run = runs / job.job_id
        assert (run / "withheld.json").exists()
        forbidden.add(json.loads((run / "withheld.json").read_bytes())["padded/cleo.flac"])
        words = (run / "words" / "cleo.json").stat().st_mtime_ns
        async with working_pipeline():
            result = await client.result(job.job_id, timeout=GUARD)
        ended = await client.get(job.job_id)
        children = [
            child.attempt async for child in client.list(parent_job_id=job.job_id, kinds=["multitrack.track"])
        ]

    assert (ended.attempt, children) == (2, [1, 1])
    assert (run / "words" / "cleo.json").stat().st_mtime_ns == words
    assert result["consent"] == {"withheld": ["Cleo"], "remaining": []}
    assert forbidden & {*hashes_of(run).values(), *hashes_of(recording).values()} == set()
    assert not (recording / "cleo.flac").exists()


async def test_consent_holds_after_a_crash_of_the_last_attempt(
    impatient_server: ServerProcess, tmp_path: Path, runs: Path
) -> None:
    """The job is LOST with audio in its directory: the next run of any recording removes that, and the rest of the
    rule holds for the recording that has lost a track already.
    """
    recording = copied_recording(tmp_path, BRIEF)
    address = impatient_server.address
    log = tmp_path / "worker.log"
    async with Client(address) as client:
        job_input = {"recording": str(recording), "runs": str(runs)}
        lost = await pipeline.submit(RECORDING, job_input, retry_policy=RetryPolicy(max_attempts=1))
        (tmp_path / "deletion 2").write_text("kill")
        with worker_process(
            "tests.support.staged_worker", str(tmp_path), address=address, log=log
        ) as process:
            assert await asyncio.to_thread(process.wait, GUARD) == -signal.SIGKILL
        with pytest.raises(JobLost):
            await client.result(lost.job_id, timeout=GUARD)
        assert not (recording / "cleo.flac").exists()
        assert (runs / lost.job_id / "tracks" / "cleo.flac").exists()
        again = await submit_recording(recording, runs)
        async with working_pipeline():
            result = await client.result(again.job_id, timeout=GUARD)

    assert names_in(runs) == [again.job_id]
    assert [name for name in hashes_of(tmp_path) if name.endswith("cleo.flac")] == []
    assert result["consent"] == {"withheld": ["Cleo"], "remaining": []}


async def test_a_copy_that_remains_fails_the_job(client: Client, tmp_path: Path, runs: Path) -> None:
    """The proof finds the audio under any name."""
    recording = copied_recording(tmp_path, BRIEF)
    (recording / "backup.bin").write_bytes((recording / "cleo.flac").read_bytes())
    async with working_pipeline():
        job = await submit_recording(recording, runs)
        with pytest.raises(JobFailed) as failed:
            await client.result(job.job_id, timeout=GUARD)

    assert failed.value.failure.code == "AUDIO_REMAINS"
    assert str(recording / "backup.bin") in failed.value.failure.message
    assert names_in(runs) == []


async def test_a_shadow_has_the_same_result_and_no_effects(
    client: Client, tmp_path: Path, runs: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sends nothing, and deletes from its own directory alone."""
    monkeypatch.setattr(pipeline, "shadow_engine", "worker")
    recording = copied_recording(tmp_path, BRIEF)
    async with working_pipeline():
        job = await submit_recording(recording, runs, webhook_url=f"{receiver.url}/hook")
        shadow = f"{job.job_id}-shadow"
        results = [await client.result(job_id, timeout=GUARD) for job_id in (job.job_id, shadow)]

    assert results[0] == results[1]
    assert [path for path, _, _ in receiver.received] == ["/hook"]
    assert [name for name in hashes_of(runs) if name.endswith("cleo.flac")] == []
    assert (runs / shadow / "webhook.json").read_bytes() == receiver.received[0][2]


def test_one_command_shows_all_of_it() -> None:
    """It prints what happens, the address of the page and the result, and leaves no process."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MILEPOST_")}
    finished = subprocess.run(
        [sys.executable, "-m", "examples.multitrack", "--short"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (finished.returncode, finished.stderr) == (0, "")
    lines = finished.stdout.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["recording", "engine", "job", "page"]
    assert "FINAL_TITLE" in finished.stdout
    assert lines[-1].startswith("consent     the audio of Cleo is deleted")
