"""The worker of the multitrack example with another idea of titles: what a comparison has to find.

``python -m tests.support.planted_worker``, under the engine of MILEPOST_ENGINE.
"""

from __future__ import annotations

from collections.abc import Sequence
from unittest import mock

from examples.multitrack.pipeline import pipeline
from examples.multitrack.topics import title_of
from examples.multitrack.transcript import Turn


def _other_title(turns: Sequence[Turn]) -> str:
    return f"{title_of(turns)} again"


if __name__ == "__main__":
    with mock.patch("examples.multitrack.recording_job.title_of", _other_title):
        pipeline.main()
