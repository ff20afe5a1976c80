"""A job whose reports are collected, not sent."""

from __future__ import annotations

import pytest

from milepost.client import JobContext
from milepost.client._worker.job_context import JobControl
from milepost.client._worker.reporter import Reporter
from milepost.v1 import (
    Job,
)


@pytest.fixture
def reporter() -> Reporter:
    """Nothing to wake."""
    return Reporter(lambda: None)


@pytest.fixture
def job(reporter: Reporter) -> JobContext:
    """A job whose updates are read from the reporter."""
    return JobContext(JobControl(Job(job_id="j", kind="k", attempt=1), reporter))
