"""Forks, as of gunicorn and Celery: parent and child continue with clients created before."""

from __future__ import annotations

import subprocess
import sys

import pytest

from milepost.client import SyncClient
from milepost.client._transport import fork_safety
from tests.support.server import ServerProcess

PROGRAM = """
import asyncio, os, sys, threading
from milepost.client import Client, MilepostError, SyncClient, Worker
from milepost.v1 import Dispatch, JobState

address, before, forks = sys.argv[1], sys.argv[2], int(sys.argv[3])
plain, client = SyncClient(address), Client(address)


async def attach():
    job_id = (await client.submit("forked", dispatch=Dispatch.DISPATCH_EXTERNAL)).job_id
    async with client.attach(job_id) as job:
        job.log("hello")
    return (await client.get(job_id)).state


async def serve():
    kind = f"forked-{os.getpid()}"
    worker = Worker(address)
    worker.job(kind)(lambda job: {"in": job.kind})
    running = asyncio.create_task(worker.run())
    job = await client.submit(kind)
    await client.result(job.job_id)
    worker.stop()
    await running
    return (await client.get(job.job_id)).state


def work():
    with plain.start("forked") as job:
        with job.stage("count") as stage:
            sum(stage.track(range(10)))
    states = plain.get(job.id).state, asyncio.run(attach()), asyncio.run(serve())
    return [JobState.Name(state) for state in states]


kept = None
if before != "unused":
    print("parent", *work(), flush=True)
    try:
        plain.get("no-such-job")
    except MilepostError as error:
        kept = error
if before == "renamed":
    for thread in threading.enumerate():
        if "_poll_wrapper" in thread.name:
            thread.name = "grpc-aio-poller"
if before == "watching":
    watch = plain.watch(plain.submit("nobody-does-this").job_id)
    next(watch)
block = plain.start("forked") if before == "attached" else None
if block is not None:
    job = block.__enter__()
for _ in range(forks):
    child = os.fork()
    if child == 0:
        try:
            print("child", *work(), flush=True)
        except RuntimeError as error:
            print("child", error, flush=True)
        os._exit(0)
    print("status", os.waitpid(child, 0)[1], flush=True)
if block is not None:
    block.__exit__(None, None, None)
    print("block", JobState.Name(plain.get(job.id).state), flush=True)
if before == "watching":
    plain.cancel(watch._watch._job_id)
    print("watched", [event.WhichOneof("payload") for event in watch][-1], flush=True)
print("parent", *work(), flush=True)
plain.close()
"""

# The alarm ends a child that hangs.
MEMORY_SERVER_PROGRAM = """
import os, signal, sys
from milepost.client import SyncClient
from milepost.testing import MemoryServer


def fork(address):
    child = os.fork()
    if child == 0:
        signal.alarm(15)
        try:
            with SyncClient(address) as client:
                print("child", client.submit("forked").kind, flush=True)
        except RuntimeError as error:
            print("child", error, flush=True)
        os._exit(0)
    print("status", os.waitpid(child, 0)[1], flush=True)


with MemoryServer() as server:
    if sys.argv[2] == "during":
        fork(server.address)
        with SyncClient(server.address) as client:
            print("parent", len([client.submit("forked") for _ in range(100)]), flush=True)
if sys.argv[2] == "after":
    fork(sys.argv[1])
"""

# What a child does with what its parent has in use; each line has the step and its outcome.
INHERITED_PROGRAM = """
import asyncio, os, sys, threading, time
from milepost.client import SyncClient, current_job
from milepost.v1 import JobState

address, which = sys.argv[1:]
client = SyncClient(address)


def in_child(name, step):
    child = os.fork()
    if child == 0:
        try:
            print(name, step(), flush=True)
        except Exception as error:
            print(name, type(error).__name__, error, flush=True)
        os._exit(0)
    print("status", os.waitpid(child, 0)[1], flush=True)


def hold(lock):
    held = threading.Event()

    def run():
        with lock:
            held.set()
            threading.Event().wait()

    threading.Thread(target=run, daemon=True).start()
    held.wait()


def report():
    job.log("lost")
    stage.advance(1)
    stage.__exit__(None, None, None)
    job.artifact("a", "s3://bucket/a")
    job.on_cancel(print)
    return current_job()


def leave():
    with client.start("forked") as job:
        child = os.fork()
    if child == 0:
        print("child left", current_job(), flush=True)
        os._exit(0)
    print("status", os.waitpid(child, 0)[1], flush=True)
    return JobState.Name(client.get(job.id).state)


def wait_for(watch):
    waiting = threading.Thread(target=list, args=(watch,), daemon=True)
    waiting.start()
    while not watch._reading.locked():
        time.sleep(0.001)


if which == "reports":
    block = client.start("forked")
    job = block.__enter__()
    stage = job.stage("count", total=10)
    stage.__enter__()
    hold(job._reporter.lock)
    in_child("reports", report)
elif which == "block":
    print("parent left", leave(), flush=True)
elif which == "watch":
    watch = client.watch(client.submit("nobody-does-this").job_id)
    next(watch)
    wait_for(watch)
    in_child("next", lambda: next(watch))
    in_child("close", watch.close)
elif which == "watches":
    watches = client.subscriptions()
    watches.add(client.submit("nobody-does-this").job_id)
    next(watches)
    wait_for(watches)
    in_child("next", lambda: next(watches))
    in_child("close", watches.close)
os._exit(0)
"""

WORKS = "JOB_STATE_SUCCEEDED JOB_STATE_SUCCEEDED JOB_STATE_SUCCEEDED"
REFUSED = (
    "gRPC was in use when this process was forked, and cannot be used in it. Fork while no call and no watch is under "
    "way, or before the first, or spawn processes instead."
)


def run(address: str, before: str, forks: int) -> list[str]:
    """Run a program; return the output of parent and children."""
    return output_of(PROGRAM, address, before, str(forks))


def output_of(program: str, *arguments: str) -> list[str]:
    """Run this program; return the output of parent and children."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_clients_that_were_not_used(shared_server: ServerProcess) -> None:
    """As in servers that preload the application."""
    assert run(shared_server.address, "unused", 1) == [f"child {WORKS}", "status 0", f"parent {WORKS}"]


def test_clients_that_are_at_rest(shared_server: ServerProcess) -> None:
    """Both sides can submit, attach, report and work after any number of forks."""
    children = [f"child {WORKS}", "status 0"] * 5
    assert run(shared_server.address, "used", 5) == [f"parent {WORKS}", *children, f"parent {WORKS}"]


@pytest.mark.parametrize(
    ("before", "after"),
    [("watching", "watched job_ended"), ("attached", "block JOB_STATE_SUCCEEDED")],
)
def test_open_calls_stay_with_the_parent(shared_server: ServerProcess, before: str, after: str) -> None:
    """Open calls continue in the parent. The child cannot use gRPC then, and raises an error rather than hang."""
    children = [f"child {REFUSED}", "status 0"] * 2
    assert [f"parent {WORKS}", *children, after, f"parent {WORKS}"] == run(shared_server.address, before, 2)


def test_a_poller_by_its_later_name(shared_server: ServerProcess) -> None:
    """Later versions of grpcio name their thread otherwise. Connections are released before a fork with them, too."""
    children = [f"child {WORKS}", "status 0"]
    assert run(shared_server.address, "renamed", 1) == [f"parent {WORKS}", *children, f"parent {WORKS}"]


def test_the_poller_is_known(shared_server: ServerProcess) -> None:
    """A version of grpcio whose thread has a name unknown to the SDK fails here, rather than at users' forks."""
    with SyncClient(shared_server.address) as client:
        client.submit("forked")
        assert fork_safety._poller_is_running()


def test_a_memory_server_that_runs() -> None:
    """A server uses gRPC as a client does: the child raises an error rather than hang, and the parent serves on."""
    expected = [f"child {REFUSED}", "status 0", "parent 100"]
    assert output_of(MEMORY_SERVER_PROGRAM, "", "during") == expected


def test_a_memory_server_that_has_stopped(shared_server: ServerProcess) -> None:
    """Nothing of it is left to keep a child from using gRPC."""
    assert output_of(MEMORY_SERVER_PROGRAM, shared_server.address, "after") == ["child forked", "status 0"]


BELONGS = (
    "RuntimeError This object was made before this process was forked, and belongs to the parent process. Make another "
    "one in this process."
)


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("reports", ["reports None", "status 0"]),
        ("block", ["child left None", "status 0", "parent left JOB_STATE_SUCCEEDED"]),
        ("watch", [f"next {BELONGS}", "status 0", "close None", "status 0"]),
        ("watches", [f"next {BELONGS}", "status 0", "close None", "status 0"]),
    ],
)
def test_what_a_child_inherits_in_use_does_not_hang(
    shared_server: ServerProcess, which: str, expected: list[str]
) -> None:
    """Its reports are dropped, also where another thread of the parent had the lock; blocks and watches are the
    parent's: to leave or close them does nothing, and what needs their stream raises.
    """
    assert output_of(INHERITED_PROGRAM, shared_server.address, which) == expected
