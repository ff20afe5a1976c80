"""The estimators that calls use."""

from __future__ import annotations

from typing import NamedTuple

from milepost.server.estimation.histories import Histories
from milepost.server.estimation.job_estimates import JobEstimates
from milepost.server.estimation.queue_estimates import QueueEstimates


class Estimators(NamedTuple):
    """Estimates of jobs that run, of jobs that wait, and what they rest on."""

    jobs: JobEstimates
    queue: QueueEstimates
    histories: Histories
