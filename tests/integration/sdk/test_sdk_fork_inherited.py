"""Forks while the parent iterates: what the child inherits stays the parent's, whatever the child does with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.server import ServerProcess

# The alarm ends a child that hangs.
PROGRAM = """
import gc, multiprocessing, os, signal, sys
from milepost.client import Ended, SyncClient

address, name, use, fork = sys.argv[1:]
client = SyncClient(address)
kind = f"inherited-{os.getpid()}"
jobs = [client.submit(kind) for _ in range(2)]
states = []
options = {"on_state": states.append}


def subscribe():
    subscriptions = client.subscriptions()
    subscriptions.add(jobs[0].job_id, **options)
    return subscriptions


iterating = {
    "list": lambda: client.list(kinds=[kind], page_size=1),
    "follow": lambda: client.follow(jobs[0].job_id, **options),
    "watch": lambda: client.watch(jobs[0].job_id, **options),
    "watch_jobs": lambda: client.watch_jobs(kinds=[kind], **options),
    "subscriptions": subscribe,
}[name]()
watch = client.watch(jobs[1].job_id)  # so that gRPC is in use, whatever the other one is
kept = [iterating, watch]
next(watch), next(iterating)


def child():
    global client, iterating, watch
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(120)
    try:
        if use == "closes":
            iterating.close()
        elif use == "iterates":
            while True:
                next(iterating)
    except RuntimeError as error:
        print("child", str(error).split(",")[0], flush=True)
    kept.clear()
    del client, iterating, watch
    gc.unfreeze()  # as a program may
    gc.collect()
    print("child", "dropped", flush=True)


if fork == "os.fork":
    if (pid := os.fork()) == 0:
        child()
        os._exit(0)
    print("status", os.waitpid(pid, 0)[1], flush=True)
else:
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    print("status", process.exitcode, flush=True)

for job in jobs:
    client.cancel(job.job_id)
for item in iterating:
    if name == "watch_jobs" and item.HasField("job_ended") or isinstance(item, Ended):
        break
for _ in watch:
    pass
print(*(state.state for state in states), watch.reconnects)
client.close()
"""

NAMES = ["list", "follow", "watch", "watch_jobs", "subscriptions"]


def run(address: str, *arguments: str) -> list[str]:
    """Run the program; return the output of parent and child."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", PROGRAM, address, *arguments],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def states(name: str) -> str:
    """The states of a connection that nobody has touched."""
    return "0" if name == "list" else "connecting live 0"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("use", ["drops", "closes"])
def test_a_child_that_lets_go(shared_server: ServerProcess, name: str, use: str) -> None:
    """It does not hang, and the stream of the parent goes on."""
    assert run(shared_server.address, name, use, "os.fork") == ["child dropped", "status 0", states(name)]


@pytest.mark.parametrize("name", ["follow", "watch"])
def test_a_child_of_multiprocessing(shared_server: ServerProcess, name: str) -> None:
    """Which ends as such children do."""
    assert run(shared_server.address, name, "drops", "multiprocessing") == [
        "child dropped",
        "status 0",
        states(name),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_child_that_goes_on(shared_server: ServerProcess, name: str) -> None:
    """It gets an error rather than hang, once it has what the parent had received."""
    if name in ("list", "follow"):
        error = "child gRPC was in use when this process was forked"
    else:
        error = "child This object was made before this process was forked"
    assert run(shared_server.address, name, "iterates", "os.fork") == [
        error,
        "child dropped",
        "status 0",
        states(name),
    ]
