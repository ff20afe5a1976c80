"""Handlers that run in processes of their own, which import them from here."""

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
"""Has those that a process of its own is started for, with `milepost worker`."""

PIDS = "pids"
"""The line by which a handler tells which processes there are, and that it is at work."""

STEPS = {"scan": "scan", "hash": "hash_files", "pack": "pack", "verify": "verify", "report": "manifest"}
"""The step of each stage of the archive job, by its name in the job's module."""


def tell(job: JobContext, *more: int) -> None:
    """Says that it is at work, in which process, and which others it has started."""
    job.log(PIDS, pids=[os.getpid(), *more])


def child(pass_fds: Sequence[int] = (), *, session: bool = False) -> subprocess.Popen[bytes]:
    """A process that the handler starts, and that does not end by itself."""
    command = [sys.executable, "-c", "import time; time.sleep(3600)"]
    return subprocess.Popen(command, pass_fds=pass_fds, start_new_session=session)


def talkative(job: JobContext) -> dict[str, object]:
    """Says one of everything."""
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
    """The same, with a loop of its own."""
    await asyncio.sleep(0)
    return talkative(job)


def where(job: JobContext) -> dict[str, object]:
    """Who runs it."""
    return {"pid": os.getpid(), "group": os.getpgrp(), "session": os.getsid(0), "parent": os.getppid()}


def crashing(job: JobContext) -> None:
    """Ends as it is told to, and does not return."""
    print("first words\nlast words", file=sys.stderr, flush=True)
    match job.input["how"]:
        case "exit":
            os._exit(3)
        case name:
            os.kill(os.getpid(), signal.Signals[name])
    time.sleep(3600)


def failing(job: JobContext) -> None:
    """Fails by itself."""
    match job.input["how"]:
        case "exception":
            raise ValueError("boo")
        case "failure":
            raise JobFailure("NO_DISK", "There is no disk.", detail="sda", retryable=True)


def leaving(job: JobContext) -> None:
    """Returns, and leaves a process behind."""
    tell(job, child().pid)


def escaping(job: JobContext) -> None:
    """Leaves a process behind that has left its group, and still has its stderr."""
    tell(job, child(session=True).pid)


def lingering(job: JobContext) -> None:
    """The same, and leaves a thread that keeps its own process from ending."""
    threading.Thread(target=time.sleep, args=(3600,), daemon=False).start()
    leaving(job)


def chatty(job: JobContext) -> None:
    """Says more than anybody could take; then makes a file, and waits until another one is made."""
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
    """Waits in a system call; cleans up when it is interrupted."""
    other = child()
    job.on_cancel(lambda: job.log("called back"))
    try:
        tell(job, other.pid)
        time.sleep(3600)
    except Cancelled:
        job.log("interrupted" if job.cancelled else "interrupted too early")
        raise
    finally:
        other.kill()
        other.wait()
        job.log("cleaned up")


async def sleeping_in_loop(job: JobContext) -> None:
    """The same, at an await."""
    other = child()
    job.on_cancel(lambda: job.log("called back"))
    try:
        tell(job, other.pid)
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        job.log("interrupted" if job.cancelled else "interrupted too early")
        raise
    finally:
        other.kill()
        other.wait()
        job.log("cleaned up")


def tracking(job: JobContext) -> None:
    """Is in the SDK's code nearly all of the time."""
    job.on_cancel(lambda: job.log("called back"))
    try:
        with job.stage("s") as stage:
            for number in stage.track(range(10**12)):
                if number == 1000:
                    tell(job)
    except Cancelled:
        job.log("interrupted" if job.cancelled else "interrupted too early")
        raise
    finally:
        time.sleep(0.05)  # in which a second interruption would come
        job.log("cleaned up")


def waiting_for_thread(job: JobContext) -> None:
    """Has another thread do the work, which looks whether it is cancelled."""
    job.on_cancel(lambda: job.log("called back"))

    done = threading.Event()

    def work() -> None:
        while not job.cancelled:
            time.sleep(0.001)
        job.log("interrupted")
        done.set()

    threading.Thread(target=work).start()
    try:
        tell(job)
        done.wait()
    finally:
        done.wait()
        job.log("cleaned up")


@worker.job("isolated-stubborn", run="process")
def stubborn(job: JobContext) -> None:
    """Does not stop, and neither does what it has started."""
    other = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)",
        ]
    )
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    tell(job, other.pid)
    while True:
        time.sleep(3600)


@worker.job("isolated-native", run="process")
def native(job: JobContext) -> None:
    """Is in native code and does not let go of the interpreter, so that nothing else of its process runs.

    It cannot even tell so: it writes which processes there are into a file.
    """
    told = json.dumps([os.getpid(), child().pid]).encode()
    with Path(job.input["path"]).open("wb") as file:
        # One call, which begins by writing that.
        sum(chain(map(os.write, [file.fileno()], [told]), range(10**12)))


@worker.job("isolated-inheriting", run="thread")
def inheriting(job: JobContext) -> None:
    """Leaves a process behind that has all the files of the worker, as a fork of it would."""
    files = [int(path.name) for path in Path("/dev/fd").iterdir()]
    tell(job, child(pass_fds=[file for file in files if _is_open(file)]).pid)


def _is_open(file: int) -> bool:
    try:
        os.fstat(file)
    except OSError:
        return False
    return True


def deaf(job: JobContext) -> dict[str, object]:
    """Goes on until a file is there."""
    tell(job)
    while not Path(job.input["path"]).exists():
        time.sleep(0.01)
    return {"cancelled": job.cancelled}


async def deaf_in_loop(job: JobContext) -> dict[str, object]:
    """The same, with a loop."""
    tell(job)
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await asyncio.to_thread(deaf, job)
    return {"cancelled": job.cancelled}


def racing(job: JobContext) -> dict[str, object]:
    """Returns at about the time that it is cancelled."""
    tell(job)
    with job.stage("s") as stage:
        for _ in stage.track(range(5)):
            time.sleep(job.input["seconds"] / 5)
    return {}


def finishing(job: JobContext) -> dict[str, object]:
    """Is done by the time that it is interrupted."""
    try:
        tell(job)
        time.sleep(3600)
    except Cancelled:
        pass
    return {"done": True}


def breaking(job: JobContext) -> None:
    """Breaks while it cleans up."""
    try:
        tell(job)
        time.sleep(3600)
    finally:
        raise OSError("no such file")


def calling_back(job: JobContext) -> None:
    """Stops when it is called back, which one of its callbacks does not survive."""
    called = threading.Event()
    job.on_cancel(lambda: job.log("first"))
    job.on_cancel(lambda: 1 / 0)
    job.on_cancel(job.raise_if_cancelled)
    job.on_cancel(called.set)
    try:
        tell(job)
        called.wait()
    finally:
        called.wait()
        job.on_cancel(lambda: job.log("at once"))
    raise Cancelled


async def calling_back_in_loop(job: JobContext) -> None:
    """The same, with a loop."""
    called = asyncio.Event()
    job.on_cancel(lambda: job.log("first"))
    job.on_cancel(lambda: 1 / 0)
    job.on_cancel(job.raise_if_cancelled)
    job.on_cancel(called.set)
    tell(job)
    try:
        await asyncio.Event().wait()
    finally:
        assert called.is_set()
        job.on_cancel(lambda: job.log("at once"))


def as_told(job: JobContext) -> dict[str, object] | None:
    """Does what another handler here does: jobs of one worker, and each of them different."""
    match job.input["as"]:
        case "crash":
            crashing(job)
        case "hang":
            native(job)
    return deaf(job)


def held_archive(job: JobContext) -> dict[str, object]:
    """The archive job, held at a step until it is cancelled."""
    name = STEPS[job.input["hold"]]

    def held(*args: object, **options: object) -> object:
        tell(job)
        time.sleep(3600)
        raise AssertionError

    setattr(archive_job, name, held)
    return archive_job.archive(job)


if __name__ == "__main__":
    worker.main()
