"""The SDK of Milepost: submit jobs, follow them, cancel them, and do their work.

    from milepost.client import Client, Worker

`Client` is for those who submit and follow, `SyncClient` is the same without asyncio, and `Worker` does the work.
"""

from milepost.client import forking as forking  # before anything else here imports gRPC
from milepost.client.attaching import AttachedJob
from milepost.client.client import Client
from milepost.client.connection import Connection
from milepost.client.errors import JobFailure, MilepostError
from milepost.client.subscriptions import Ended, Subscriptions
from milepost.client.sync import SyncClient, SyncJobsWatch, SyncStateWatch, SyncSubscriptions, SyncWatch
from milepost.client.watching import StateWatch, Watch
from milepost.client.watching_jobs import Gap, JobsWatch
from milepost.client.worker import Cancelled, JobContext, StageContext, Worker

__all__ = [
    "AttachedJob",
    "Cancelled",
    "Client",
    "Connection",
    "Ended",
    "Gap",
    "JobContext",
    "JobFailure",
    "JobsWatch",
    "MilepostError",
    "StageContext",
    "StateWatch",
    "Subscriptions",
    "SyncClient",
    "SyncJobsWatch",
    "SyncStateWatch",
    "SyncSubscriptions",
    "SyncWatch",
    "Watch",
    "Worker",
]
