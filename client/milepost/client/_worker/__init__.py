"""Workers: `Worker` runs jobs by calling their handlers with a `JobContext`."""

from milepost.client._worker.cancel_signal import Cancelled
from milepost.client._worker.job_context import JobContext
from milepost.client._worker.stage_context import StageContext
from milepost.client._worker.worker import Worker

__all__ = ["Cancelled", "JobContext", "StageContext", "Worker"]
