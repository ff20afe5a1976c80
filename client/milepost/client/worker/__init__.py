"""Doing the work: `Worker` takes jobs, and hands each to its handler as a `JobContext`."""

from milepost.client.worker.job import Cancelled, JobContext
from milepost.client.worker.stage import StageContext
from milepost.client.worker.worker import Worker

__all__ = ["Cancelled", "JobContext", "StageContext", "Worker"]
