"""The worker of the multitrack example, which kills itself in the middle of cleanup_consent.

``python -m tests.support.crashing_worker N``: before the N-th file is deleted or looked through.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from typing import Any
from unittest import mock

from examples.multitrack.consent import Proof, delete_withheld
from examples.multitrack.pipeline import pipeline


def main(fatal: int) -> None:
    """Run the worker until it kills itself."""

    def crashing(*args: Any) -> Proof:
        run, files, known, searched, check = args
        calls = itertools.count(1)

        def crash() -> None:
            if next(calls) == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            check()

        return delete_withheld(run, files, known, searched, crash)

    with mock.patch("examples.multitrack.recording_job.delete_withheld", crashing):
        pipeline.main()


if __name__ == "__main__":
    main(int(sys.argv[1]))
