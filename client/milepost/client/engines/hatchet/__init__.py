"""Tasks of the Hatchet SDK as jobs of Milepost: ``pip install milepost-client[hatchet]``; see docs/hatchet.md.

from hatchet_sdk import Context, EmptyModel, Hatchet
from milepost.client import JobContext
from milepost.client.engines.hatchet import HatchetJobs

hatchet = Hatchet()
milepost = HatchetJobs("127.0.0.1:7070")

@hatchet.task(retries=3)
@milepost.job()
async def convert(input: EmptyModel, context: Context, job: JobContext) -> dict[str, int]:
    ...
"""

from hatchet_sdk import Hatchet

from milepost.client.engines.hatchet.hatchet_jobs import HatchetJobs, HatchetTask
from milepost.client.engines.hatchet.job_options import HatchetJobOptions, HatchetTaskOptions
from milepost.client.engines.hatchet.triggered_job import TriggeredJob

__all__ = ["Hatchet", "HatchetJobOptions", "HatchetJobs", "HatchetTask", "HatchetTaskOptions", "TriggeredJob"]
