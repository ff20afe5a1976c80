"""``milepost exec`` with a lost lease: the state of the job decides about the command."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator

import pytest

from milepost.client import SyncClient
from milepost.v1 import Dispatch, RetryPolicy
from tests.support.executing import Exec, end, feed, first_line, says, until
from tests.support.proxy import CuttableProxy
from tests.support.rpc import state_name
from tests.support.server import Server, ServerProcess

WAITS = ("sh", "-c", 'echo ready; read line; echo "$line"; exit 7')


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with short leases."""
    with ServerProcess(tmp_path_factory.mktemp("hasty") / "data", "--lease-ttl", "3") as process:
        yield process


@pytest.fixture
def at(hasty: ServerProcess) -> Iterator[Exec]:
    """`exec` at that server."""
    executing = Exec(hasty.address)
    with executing.client:
        yield executing


@pytest.fixture
def unhurried(shared_server: Server) -> Iterator[Exec]:
    """`exec` at a server whose leases do not run out before the timeout does."""
    executing = Exec(shared_server.address)
    with executing.client:
        yield executing


def submit(at: Exec, attempts: int) -> str:
    """An external job with this many attempts."""
    policy = RetryPolicy(max_attempts=attempts)
    policy.initial_backoff.SetInParent()
    return at.client.submit(at.kind, dispatch=Dispatch.DISPATCH_EXTERNAL, retry_policy=policy).job_id


def stop(process: subprocess.Popen[bytes], client: SyncClient, job_id: str, wanted: str) -> None:
    """Suspend all of exec until the job has this state, then resume it."""
    process.send_signal(signal.SIGSTOP)
    until(lambda: state_name(client.get(job_id)) == wanted)
    process.send_signal(signal.SIGCONT)


def test_a_stop_longer_than_the_lease(at: Exec) -> None:
    """A command whose job is LOST has no successor: it runs to its end, with its own status."""
    process = at.start("--kind", at.kind, *WAITS, stdin=subprocess.PIPE)
    assert first_line(process) == "ready"
    stop(process, at.client, at.job.job_id, "LOST")
    says(process, "is LOST; the command goes on without it")
    feed(process, b"on its own\n")

    assert end(process) == (7, b"on its own\n")
    assert state_name(at.job) == "LOST"


def test_a_cut_longer_than_the_lease(at: Exec) -> None:
    """Like a suspension."""
    with CuttableProxy(at.address) as proxy:
        far = Exec(proxy.address)
        with far.client:
            process = far.start("--kind", at.kind, *WAITS, stdin=subprocess.PIPE)
            assert first_line(process) == "ready"
            proxy.refuse()
            proxy.cut()
            until(lambda: state_name(at.job) == "LOST")
            proxy.allow()
            says(process, "is LOST; the command goes on without it")
            feed(process, b"on its own\n")

            assert end(process) == (7, b"on its own\n")


def test_a_job_that_waits_for_another_attempt(at: Exec) -> None:
    """The job is claimed again, and the same command goes on in that attempt, with its output and its end reported."""
    job_id = submit(at, attempts=2)
    process = at.start("--job-id", job_id, "--stage", "s", *WAITS, stdin=subprocess.PIPE)
    until(at.lines)
    stop(process, at.client, job_id, "QUEUED")
    until(lambda: (state_name(at.job), at.job.attempt) == ("RUNNING", 2))
    feed(process, b"in the second one\n")

    assert end(process) == (7, b"ready\nin the second one\n")
    assert (state_name(at.job), at.job.failure.code, [stage.stage_id for stage in at.job.stages]) == (
        "FAILED",
        "EXIT_STATUS",
        ["s"],
    )
    assert [text for _, text in at.lines()] == [
        "ready",
        "The lease ran out while the server did not hear from this process; the command goes on.",
        "in the second one",
    ]


def test_a_job_that_another_attempt_has(at: Exec) -> None:
    """The command is stopped, since two would run; it has the grace period to clean up."""
    job_id = submit(at, attempts=2)
    program = "trap 'sleep 0.2; echo clean; exit 9' TERM; echo ready; while :; do sleep 0.05; done"
    process = at.start("--job-id", job_id, "--", "sh", "-c", program)
    assert first_line(process) == "ready"
    process.send_signal(signal.SIGSTOP)
    until(lambda: state_name(at.client.get(job_id)) == "QUEUED")
    with at.client.attach(job_id) as other:
        process.send_signal(signal.SIGCONT)
        assert end(process) == (9, b"clean\n")

    assert (other.attempt, state_name(at.job)) == (2, "SUCCEEDED")


def test_a_job_that_has_timed_out(unhurried: Exec) -> None:
    """The command has the grace period to clean up; status and message are those of a timeout."""
    program = "trap 'sleep 1; echo clean; exit 0' TERM; sleep 20 & wait"
    timed = ("--timeout", "2", "--grace", "20s")
    process = unhurried.start("--kind", unhurried.kind, *timed, "--", "sh", "-c", program)

    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (124, b"clean\n")
    assert err == b"Error: Took longer than its timeout of 2 s.\n"
    assert unhurried.job.failure.code == "TIMEOUT"


def test_a_command_that_outlives_its_grace(unhurried: Exec) -> None:
    """It is killed, also after a timeout."""
    program = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
    timed = ("--timeout", "2", "--grace", "0.2")
    process = unhurried.start("--kind", unhurried.kind, *timed, "--", "sh", "-c", program)

    assert end(process) == (124, b"ready\n")
