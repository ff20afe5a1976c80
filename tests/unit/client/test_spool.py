"""The spool, and its delivery: durable, exactly once, and by one worker at a time (rules 11 and 15)."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost.client import JobContext
from milepost.client._worker.job_table import JobTable
from milepost.client._worker.send_queue import SendQueue
from milepost.client._worker.spool.redelivery import Redelivery
from milepost.client._worker.spool.spool_directory import SpoolDirectory
from milepost.client._worker.spool.spooler import Spooler
from milepost.v1 import ErrorReason, JobEnded, JobState, LogWritten, Rejected, Report, Update, WorkRequest
from tests.unit.client.attempt_harness import AttemptHarness


def rest(job_id: str = "j", token: str = "t", first: int = 3, *lines: str) -> Report:
    """An undelivered report: some lines, and the end of the job."""
    updates = [Update(log_written=LogWritten(text=line)) for line in lines]
    updates.append(Update(job_ended=JobEnded(state=JobState.JOB_STATE_SUCCEEDED)))
    return Report(job_id=job_id, lease_token=token, first_report_sequence=first, updates=updates)


def jobs(spool: SpoolDirectory) -> list[str]:
    """The ids of the jobs that it has taken over."""
    return sorted(report.job_id for report in spool.recovered)


def names(directory: Path) -> list[str]:
    """The suffixes of the files."""
    return sorted(path.suffix for path in directory.iterdir())


def test_spooled_reports_are_there_for_the_next_worker(tmp_path: Path) -> None:
    """In its last version, without removed reports. An empty spool leaves no files."""
    directory = tmp_path / "var" / "spool"
    spool = SpoolDirectory(directory)
    assert spool.recovered == []
    spool.write(rest(first=1))
    spool.write(rest(first=3))
    spool.write(rest(token="of another attempt"))
    spool.write(rest("other"))
    spool.remove("other", "t")
    spool.close()
    spool.close()
    again = SpoolDirectory(directory)
    assert {"t": rest(), "of another attempt": rest(token="of another attempt")} == {
        report.lease_token: report for report in again.recovered
    }
    for report in again.recovered:
        again.remove(report.job_id, report.lease_token)
    again.close()
    assert names(directory) == []


def test_spooled_reports_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is synced before the rename, and then the directory, so that it survives a power cut."""
    spool = SpoolDirectory(tmp_path)
    steps: list[tuple[str, bool, list[str]]] = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        kept = os.fstat(descriptor)
        fsync(descriptor)
        steps.append(
            ("synced", stat.S_ISDIR(kept.st_mode), sorted(path.suffix for path in tmp_path.iterdir()))
        )
        if not stat.S_ISDIR(kept.st_mode):
            assert kept.st_size == rest().ByteSize()

    monkeypatch.setattr(os, "fsync", record)
    spool.write(rest())
    spool.close()
    assert steps == [
        ("synced", False, [".lock", ".new"]),
        ("synced", True, [".lock", ".report"]),
    ]


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    """The spool has lease tokens and results."""
    spool = SpoolDirectory(tmp_path / "spool")
    spool.write(rest())
    assert {
        stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "spool", *(tmp_path / "spool").iterdir())
    } == {0o700, 0o600}
    spool.close()


def modes(directory: Path) -> set[str]:
    """The permissions of the directory and its files."""
    return {oct(stat.S_IMODE(path.stat().st_mode)) for path in (directory, *directory.iterdir())}


@pytest.fixture
def wide_open() -> Iterator[None]:
    """A umask of 0."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("wide_open")
def test_nobody_else_may_read_it_whatever_the_umask(tmp_path: Path) -> None:
    """Also a directory that an earlier version, or someone else, created with other permissions."""
    directory = tmp_path / "spool"
    spool = SpoolDirectory(directory)
    spool.write(rest())
    assert modes(directory) == {"0o700", "0o600"}
    spool.close()
    for path in (directory, *directory.iterdir()):
        path.chmod(0o777 if path.is_dir() else 0o666)

    again = SpoolDirectory(directory)
    assert modes(directory) == {"0o700", "0o600"}
    again.close()


@pytest.mark.parametrize("moved", [False, True])
def test_a_directory_that_is_deleted_is_made_again(tmp_path: Path, moved: bool) -> None:
    """With all reports: those of another worker, and this one's earlier and new ones."""
    directory = tmp_path / "spool"
    dead = SpoolDirectory(directory)
    dead.write(rest("left"))
    dead.close()
    spool = SpoolDirectory(directory)
    spool.write(rest("told"))
    spool.write(rest("before"))
    spool.remove("told", "t")
    if moved:
        directory.rename(tmp_path / "elsewhere")
    else:
        shutil.rmtree(directory)
    spool.write(rest("now"))
    assert modes(directory) == {"0o700", "0o600"}
    spool.close()

    again = SpoolDirectory(directory)
    assert jobs(again) == ["before", "left", "now"]
    again.close()


def test_a_directory_that_is_deleted_before_the_worker_ends(tmp_path: Path) -> None:
    """Undelivered reports remain for the next one; without any, no file is created."""
    directory = tmp_path / "spool"
    spool, idle = SpoolDirectory(directory), SpoolDirectory(directory)
    spool.write(rest())
    shutil.rmtree(directory)
    idle.close()
    assert not directory.exists()
    spool.close()

    again = SpoolDirectory(directory)
    assert jobs(again) == ["j"]
    again.close()


def test_a_directory_that_cannot_be_used_any_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The end of a worker or a block does not fail by it; the log says that its reports are lost."""
    directory = tmp_path / "spool"
    spool = SpoolDirectory(directory)
    spool.write(rest())
    shutil.rmtree(directory)
    directory.touch()
    spool.close()

    assert f"the spool {directory} is gone and cannot be created again" in caplog.text


def test_a_worker_whose_lock_was_deleted_locks_again(tmp_path: Path) -> None:
    """Others count it as dead only until it writes again; then its reports are its own."""
    spool = SpoolDirectory(tmp_path)
    for lock in tmp_path.glob("*.lock"):
        lock.unlink()
    spool.write(rest())
    other = SpoolDirectory(tmp_path)
    assert jobs(other) == []
    spool.close()
    other.close()


def test_what_a_living_worker_keeps_is_its_own(tmp_path: Path) -> None:
    """Workers may share a directory; one takes over only from dead ones, however they died."""
    code = f"""
import sys
from milepost.client._worker.spool.spool_directory import SpoolDirectory
from milepost.v1 import Report, Update
spool = SpoolDirectory(__import__("pathlib").Path({str(tmp_path)!r}))
spool.write(Report(job_id="theirs", updates=[Update()]))
print("kept", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        mine = SpoolDirectory(tmp_path)
        mine.write(rest("mine"))
        assert mine.recovered == []
        other.kill()
        other.wait()
        third = SpoolDirectory(tmp_path)
        assert jobs(third) == ["theirs"]
        mine.close()
        fourth = SpoolDirectory(tmp_path)
        assert jobs(fourth) == ["mine"]
        third.close()
        fourth.close()


def test_of_workers_that_start_at_once_one_gets_each_report(tmp_path: Path) -> None:
    """Each is delivered once, and none is left behind."""
    dead = [SpoolDirectory(tmp_path) for _ in range(8)]
    for number, spool in enumerate(dead):
        for letter in "abc":
            spool.write(rest(f"{number}{letter}"))
    for spool in dead:
        spool.close()
    spools: list[SpoolDirectory] = []

    def start() -> None:
        spools.append(SpoolDirectory(tmp_path))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(job for spool in spools for job in jobs(spool)) == [
        f"{number}{letter}" for number in range(8) for letter in "abc"
    ]
    for spool in spools:
        spool.close()


def test_damaged_files_are_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It stops no worker, and stays for inspection. Incomplete files are removed."""
    spool = SpoolDirectory(tmp_path)
    spool.write(rest("good"))
    spool.write(rest("bad"))
    spool.write(rest("half"))
    spool.close()
    (bad,) = tmp_path.glob("*.bad.*.report")
    bad.write_bytes(b"\xff\xff")
    (half,) = tmp_path.glob("*.half.*.report")
    half.rename(half.with_suffix(".new"))
    again = SpoolDirectory(tmp_path)
    assert jobs(again) == ["good"]
    assert names(tmp_path) == [".broken", ".lock", ".report"]
    assert "set aside as" in caplog.text
    again.close()


def test_a_spool_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    """At the worker's start, not at the first report."""
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        SpoolDirectory(tmp_path / "file")


class Telling:
    """A redelivery to a server that the test plays."""

    def __init__(self, report: Report) -> None:
        self.over: list[Redelivery] = []
        self.kept = Redelivery(report, SendQueue(), self.over.append)

    def says(self) -> list[tuple[int, list[str | None]]]:
        """Its next report: the first number, and the names of the updates."""
        said: list[tuple[int, list[str | None]]] = []
        while (request := self.kept.next_request(0.0)) is not None:
            assert isinstance(request, WorkRequest)
            assert (request.report.job_id, request.report.lease_token) == ("j", "t")
            updates: list[str | None] = [update.WhichOneof("update") for update in request.report.updates]
            said.append((request.report.first_report_sequence, updates))
        return said

    def hears(self, reason: str, number: int = 0, expected: int = 0) -> None:
        """A refusal."""
        self.kept.rejected(
            Rejected(
                job_id="j",
                reason=ErrorReason.Value(f"ERROR_REASON_{reason}"),
                message="why",
                report_sequence=number,
                expected_report_sequence=expected,
            )
        )


async def test_spooled_reports_are_sent_in_each_session_until_acknowledged() -> None:
    """Under the same numbers, so that the server ignores what it has."""
    telling = Telling(rest("j", "t", 3, "a", "b"))
    assert telling.says() == []
    telling.kept.attach()
    assert telling.says() == [(3, ["log_written", "log_written", "job_ended"])]
    telling.kept.acknowledged(3)
    telling.kept.attached = False
    telling.kept.attach()
    assert telling.says() == [(4, ["log_written", "job_ended"])]
    assert telling.kept.due(0.0) is None
    assert telling.over == []
    telling.kept.acknowledged(5)
    assert [telling.kept] == telling.over


async def test_a_server_that_has_fewer_reports_gets_them_from_there() -> None:
    """Only reports that are present can be delivered."""
    telling = Telling(rest("j", "t", 3, "a", "b"))
    telling.kept.attach()
    telling.says()
    telling.hears("REPORT_GAP", expected=4)
    assert telling.says() == [(4, ["log_written", "job_ended"])]
    telling.hears("REPORT_GAP", expected=2)
    assert [telling.kept] == telling.over


@pytest.mark.parametrize("reason", ["LEASE_LOST", "JOB_ENDED", "JOB_NOT_FOUND"])
async def test_undeliverable_reports_are_given_up(reason: str, caplog: pytest.LogCaptureFixture) -> None:
    """With a warning of what is lost."""
    telling = Telling(rest("j", "t", 3, "a", "b"))
    telling.kept.attach()
    telling.says()
    telling.hears(reason)
    assert [telling.kept] == telling.over
    assert telling.says() == []
    assert "cannot be delivered any more, 3 updates with the end SUCCEEDED" in caplog.text
    assert f"{reason}: why" in caplog.text


async def test_an_end_that_is_refused_is_reported_differently() -> None:
    """The job must end. A refused update has used up its number, and the others are delivered."""
    telling = Telling(rest("j", "t", 3, "a"))
    telling.kept.attach()
    telling.says()
    telling.hears("TOO_LARGE", number=3)
    telling.hears("INVALID_FIELD", number=4)
    assert telling.says() == [(5, ["job_ended"])]
    telling.hears("INVALID_FIELD", number=5)
    assert [telling.kept] == telling.over


async def test_ends_are_recorded_once_nothing_is_left_to_write(tmp_path: Path) -> None:
    """Where the server has the end of a task before that waits for the spool, asyncio has no error to log."""
    jobs = JobTable({}, 1, spool=SpoolDirectory(tmp_path))
    jobs.close()
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    await jobs.record_ends()
    gc.collect()

    assert errors == []


async def test_nothing_is_written_once_it_is_closed(tmp_path: Path) -> None:
    """A handler that does not stop may end later, when the reports are with the next worker."""
    spooler = Spooler(SpoolDirectory(tmp_path), 0.0)
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))

    async def quick(job: JobContext) -> None:
        job.log("done")

    harness = AttemptHarness(quick)
    spooler.close([])
    await harness.returned.wait()
    spooler.handler_ended(harness.attempt)
    await asyncio.sleep(0.01)
    spooler.attempt_over(harness.attempt)
    spooler.remove("j", "t")

    assert errors == []
