"""Handlers for tests of handler processes, which import them from this module."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from milepost.client import Cancelled, JobContext, JobFailure, Worker
from milepost.examples.archive import job as archive_job
from milepost.v1 import Artifact

worker = Worker(max_concurrency=2)
"""The worker that `milepost worker` runs in a child process."""

PIDS = "pids"
"""The log line with which a handler reports its process ids, and that it is running."""

STEPS = {"scan": "scan", "hash": "hash_files", "pack": "pack", "verify": "verify", "report": "manifest"}
"""The function of each stage of the archive job, by its name in the job's module."""


def report_pids(job: JobContext, *more: int) -> None:
    """Report that the handler is running, with the ids of its process and of those it has started."""
    job.log(PIDS, pids=[os.getpid(), *more])


def child(pass_fds: Sequence[int] = (), *, session: bool = False) -> subprocess.Popen[bytes]:
    """Start a process that does not end by itself."""
    command = [sys.executable, "-c", "import time; time.sleep(3600)"]
    return subprocess.Popen(command, pass_fds=pass_fds, start_new_session=session)


def talkative(job: JobContext) -> dict[str, object]:
    """Report something of every kind."""
    job.plan(["first", "second"])
    with job.stage("first", total=3, unit="rows") as stage:
        for number in stage.track(range(3)):
            job.log(f"row {number}", stage=stage, severity="debug", number=number)
    with job.stage("second") as outer, outer.stage("second/a") as inner:
        inner.skip("nothing to do")
    job.emit("app.found", {"topic": job.input["topic"]})
    job.emit("app.made", Artifact(name="inner"))
    job.artifact("out", "file:///out", size_bytes=3, stage="first")
    job.raise_if_cancelled()
    return {"labels": job.labels, "attempt": job.attempt, "kind": job.kind, "id": job.id}


async def talkative_in_loop(job: JobContext) -> dict[str, object]:
    """As ``talkative``, async."""
    await asyncio.sleep(0)
    return talkative(job)


def where(job: JobContext) -> dict[str, object]:
    """Return the ids of the process and its relatives."""
    return {"pid": os.getpid(), "group": os.getpgrp(), "session": os.getsid(0), "parent": os.getppid()}


def crashing(job: JobContext) -> None:
    """End the process as the input says, without returning."""
    print("first words\nlast words", file=sys.stderr, flush=True)
    match job.input["how"]:
        case "exit":
            os._exit(3)
        case name:
            os.kill(os.getpid(), signal.Signals[name])
    time.sleep(3600)


def failing(job: JobContext) -> None:
    """Fail as the input says."""
    match job.input["how"]:
        case "exception":
            raise ValueError("boo")
        case "failure":
            raise JobFailure("NO_DISK", "There is no disk.", detail="sda", retryable=True)


def leaving(job: JobContext) -> None:
    """Return, and leave a process behind."""
    report_pids(job, child().pid)


def escaping(job: JobContext) -> None:
    """Leave a process behind that has left the process group, and still has the stderr."""
    report_pids(job, child(session=True).pid)


def lingering(job: JobContext) -> None:
    """As ``leaving``, with a thread that keeps the handler's process from ending."""
    threading.Thread(target=time.sleep, args=(3600,), daemon=False).start()
    leaving(job)


def chatty(job: JobContext) -> None:
    """Report more than a session can send; then create a file, and wait for another file."""
    path = Path(job.input["path"])
    with job.stage("s") as stage:
        for _ in range(20_000):
            stage.advance()
            job.log("x" * 1024)
        (path / "said").touch()
        while not (path / "go on").exists():
            time.sleep(0.01)


@worker.job("isolated-sleeping", run="process")
def sleeping(job: JobContext) -> None:
    """Wait in a system call; clean up when interrupted."""
    other = child()
    job.on_cancel(lambda: job.log("called back"))
    try:
        report_pids(job, other.pid)
        time.sleep(3600)
    except Cancelled:
        job.log("interrupted" if job.cancelled else "interrupted too early")
        raise
    finally:
        other.kill()
        other.wait()
        job.log("cleaned up")


def finishing_cleanup(job: JobContext) -> None:
    """Wait until interrupted; then clean up until the test lets it go on."""
    path = Path(job.input["path"])
    try:
        report_pids(job)
        time.sleep(3600)
    finally:
        (path / "cleaning").touch()
        while not (path / "go on").exists():
            time.sleep(0.01)
        (path / "cleaned").touch()


async def sleeping_in_loop(job: JobContext) -> None:
    """As ``sleeping``, async."""
    other = child()
    job.on_cancel(lambda: job.log("called back"))
    try:
        report_pids(job, other.pid)
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        job.log("interrupted" if job.cancelled else "interrupted too early")
        raise
    finally:
        other.kill()
        other.wait()
        job.log("cleaned up")


def tracking(job: JobContext) -> None:
    """Spend nearly all time in the SDK's code."""
    job.on_cancel(lambda: job.log("called back"))
    try:
        with job.stage("s") as stage:
            for number in stage.track(range(10**12)):
                if number == 1000:
                    report_pids(job)
    except Cancelled:
        job.log("interrupted" if job.cancelled else "interrupted too early")
        raise
    finally:
        time.sleep(0.05)  # time for a second interruption, which must not come
        job.log("cleaned up")


def waiting_for_thread(job: JobContext) -> None:
    """Have another thread do the work, which polls for the cancellation."""
    job.on_cancel(lambda: job.log("called back"))

    done = threading.Event()

    def work() -> None:
        while not job.cancelled:
            time.sleep(0.001)
        job.log("interrupted")
        done.set()

    threading.Thread(target=work).start()
    try:
        report_pids(job)
        done.wait()
    finally:
        done.wait()
        job.log("cleaned up")


@worker.job("isolated-stubborn", run="process")
def stubborn(job: JobContext) -> None:
    """Ignore SIGTERM, as does the process that it has started."""
    other = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)",
        ]
    )
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    report_pids(job, other.pid)
    while True:
        time.sleep(3600)


@worker.job("isolated-native", run="process")
def native(job: JobContext) -> None:
    """Run native code that holds the GIL, so that no other code of its process runs.

    It cannot report either: it writes its process ids into a file.
    """
    pids = json.dumps([os.getpid(), child().pid]).encode()
    with Path(job.input["path"]).open("wb") as file:
        # One native call, which first writes the ids.
        sum(chain(map(os.write, [file.fileno()], [pids]), range(10**12)))


@worker.job("isolated-inheriting", run="thread")
def inheriting(job: JobContext) -> None:
    """Leave a process behind that has all open files of the worker, as a fork of it would."""
    files = [int(path.name) for path in Path("/dev/fd").iterdir()]
    report_pids(job, child(pass_fds=[file for file in files if _is_open(file)]).pid)


def _is_open(file: int) -> bool:
    try:
        os.fstat(file)
    except OSError:
        return False
    return True


def deaf(job: JobContext) -> dict[str, object]:
    """Ignore the cancellation until a file exists."""
    report_pids(job)
    while not Path(job.input["path"]).exists():
        time.sleep(0.01)
    return {"cancelled": job.cancelled}


async def deaf_in_loop(job: JobContext) -> dict[str, object]:
    """As the function above, async."""
    report_pids(job)
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await asyncio.to_thread(deaf, job)
    return {"cancelled": job.cancelled}


def racing(job: JobContext) -> dict[str, object]:
    """Return at about the time of the cancellation."""
    report_pids(job)
    with job.stage("s") as stage:
        for _ in stage.track(range(5)):
            time.sleep(job.input["seconds"] / 5)
    return {}


def finishing(job: JobContext) -> dict[str, object]:
    """Return a result despite the interruption."""
    try:
        report_pids(job)
        time.sleep(3600)
    except Cancelled:
        pass
    return {"done": True}


def breaking(job: JobContext) -> None:
    """Raise an exception during the clean-up."""
    try:
        report_pids(job)
        time.sleep(3600)
    finally:
        raise OSError("no such file")


def calling_back(job: JobContext) -> None:
    """Stop by a cancellation callback, although other callbacks raise exceptions."""
    called = threading.Event()
    job.on_cancel(lambda: job.log("first"))
    job.on_cancel(lambda: 1 / 0)
    job.on_cancel(job.raise_if_cancelled)
    job.on_cancel(called.set)
    try:
        report_pids(job)
        called.wait()
    finally:
        called.wait()
        job.on_cancel(lambda: job.log("at once"))
    raise Cancelled


async def calling_back_in_loop(job: JobContext) -> None:
    """As the function above, async."""
    called = asyncio.Event()
    job.on_cancel(lambda: job.log("first"))
    job.on_cancel(lambda: 1 / 0)
    job.on_cancel(job.raise_if_cancelled)
    job.on_cancel(called.set)
    report_pids(job)
    try:
        await asyncio.Event().wait()
    finally:
        assert called.is_set()
        job.on_cancel(lambda: job.log("at once"))


def as_input_says(job: JobContext) -> dict[str, object] | None:
    """Act as another handler of this module, chosen by the input."""
    match job.input["as"]:
        case "crash":
            crashing(job)
        case "hang":
            native(job)
    return deaf(job)


def held_archive(job: JobContext) -> dict[str, object]:
    """Run the archive job, blocked at one step until it is cancelled."""
    name = STEPS[job.input["hold"]]

    def held(*args: object, **options: object) -> object:
        report_pids(job)
        time.sleep(3600)
        raise AssertionError

    setattr(archive_job, name, held)
    return archive_job.archive(job)


if __name__ == "__main__":
    worker.main()
