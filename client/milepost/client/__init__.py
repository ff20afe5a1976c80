"""The SDK of Milepost: submit jobs, follow them, cancel them, and do their work.

    from milepost.client import Client, Worker

`Client` is for those who submit and follow, `SyncClient` is the same without asyncio, and `Worker` does the work.
"""

from milepost.client.client import Client
from milepost.client.errors import JobFailure, MilepostError
from milepost.client.sync import SyncClient, SyncWatch
from milepost.client.watching import Connection, Watch
from milepost.client.worker import Cancelled, JobContext, StageContext, Worker

__all__ = [
    "Cancelled",
    "Client",
    "Connection",
    "JobContext",
    "JobFailure",
    "MilepostError",
    "StageContext",
    "SyncClient",
    "SyncWatch",
    "Watch",
    "Worker",
]
