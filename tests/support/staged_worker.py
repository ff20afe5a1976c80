"""The worker of the multitrack example whose jobs stop where a test says: they wait there, or their process is killed.

``python -m tests.support.staged_worker DIRECTORY``, under the engine of MILEPOST_ENGINE. A file in the directory, named
like a point of `stopping_at`, stops jobs there: one with the text ``kill`` kills the process, once; any other one holds
it as long as the file is there, and ``<point>.reached`` says that it does.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

from examples.multitrack.pipeline import pipeline
from tests.support.multitrack_steps import stopping_at


def _stop(directory: Path, point: str) -> None:
    file = directory / point
    try:
        text = file.read_text()
    except FileNotFoundError:
        return
    if text == "kill":
        file.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)
    (directory / f"{point}.reached").touch()
    while file.exists():
        time.sleep(0.02)


if __name__ == "__main__":
    with stopping_at(partial(_stop, Path(sys.argv[1]))):
        pipeline.main()
