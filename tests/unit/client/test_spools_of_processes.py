"""Spools of other processes: those of living workers, of dead ones, and of their children."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from milepost.client._worker.spool.spool_directory import SpoolDirectory
from milepost.v1 import Report, Update


def jobs(spool: SpoolDirectory) -> list[str]:
    """The ids of the jobs that it has taken over."""
    return sorted(report.job_id for report in spool.recovered)


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
        mine.write(Report(job_id="mine", updates=[Update()]))
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


def test_a_child_of_a_dead_worker_keeps_nothing(tmp_path: Path) -> None:
    """It inherits the lock, and may outlive its parent by far: it lets go of it, and writes nothing for the parent."""
    code = f"""
import os, sys
from milepost.client._worker.spool.spool_directory import SpoolDirectory
from milepost.v1 import Report, Update
spool = SpoolDirectory(__import__("pathlib").Path({str(tmp_path)!r}))
spool.write(Report(job_id="theirs", updates=[Update()]))
reading, writing = os.pipe()
if os.fork() == 0:
    try:
        spool.write(Report(job_id="inherited", updates=[Update()]))
    except OSError as error:
        print(error, flush=True)
    spool.close()
    os.write(writing, b".")
    sys.stdin.read()
    os._exit(0)
os.read(reading, 1)
os._exit(0)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        refused = parent.stdout.readline()
        assert os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT) is not None
        mine = SpoolDirectory(tmp_path)
        assert jobs(mine) == ["theirs"]
        mine.close()

    assert refused == f"The spool {tmp_path} is closed, or belongs to the parent of this process.\n"
