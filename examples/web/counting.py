"""The worker of the pages: it counts.

.venv/bin/milepost worker examples.web.counting:worker
"""

from __future__ import annotations

import time

from milepost.client import JobContext, Worker

worker = Worker()


@worker.job("count")
def count(job: JobContext) -> dict[str, int]:
    to = int(job.input["to"])
    job.plan(["count"])
    with job.stage("count", total=to) as stage:
        for number in range(1, to + 1):
            job.raise_if_cancelled()
            time.sleep(0.5)
            job.log(f"{number}")
            stage.advance(1)
    return {"counted": to}
