"""A spool that a forked child inherits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from milepost.client._worker.spool.spool_directory import SpoolDirectory


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
        print("it was written", flush=True)
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
        assert [report.job_id for report in mine.recovered] == ["theirs"]
        mine.close()

    assert refused == f"The spool {tmp_path} is closed, or belongs to the parent of this process.\n"


def test_a_fork_closes_no_file_but_the_lock(tmp_path: Path) -> None:
    """A spool that is closed has none: the number of its lock may be that of another file by then."""
    spool = SpoolDirectory(tmp_path)
    spool.close()
    reading, writing = os.pipe()  # the lowest numbers, and so that of the lock
    spool.after_fork()
    os.write(writing, b".")

    assert os.read(reading, 1) == b"."
    os.close(reading)
    os.close(writing)
