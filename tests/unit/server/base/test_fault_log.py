"""Faults that come again and again, and what the log says of them."""

from __future__ import annotations

import logging

import structlog
from structlog.testing import capture_logs

from milepost.server.base.fault_log import LINES_LIMIT, PERIOD, FaultLog
from tests.support.clock import FakeClock


def test_a_fault_that_lasts_is_logged_once_a_period() -> None:
    """The next line says how many were not; another fault has its own line at once."""
    clock = FakeClock()
    faults = FaultLog(structlog.get_logger(), "read failed", logging.ERROR, clock.monotonic)
    with capture_logs() as lines:
        for _ in range(3):
            faults.note("I/O", error="I/O")
        faults.note("memory", error="memory")
        clock.advance(PERIOD)
        faults.note("I/O", error="I/O")

    event = {"event": "read failed", "log_level": "error"}
    assert lines == [
        {**event, "error": "I/O"},
        {**event, "error": "memory", "not_logged": 2},
        {**event, "error": "I/O"},
    ]


def test_many_different_faults_have_few_lines() -> None:
    """As of a disk that fails for each of thousands of jobs."""
    clock = FakeClock()
    faults = FaultLog(structlog.get_logger(), "write failed", clock=clock.monotonic)
    with capture_logs() as lines:
        for number in range(5 * LINES_LIMIT):
            faults.note(f"j{number}", job_id=f"j{number}")
        clock.advance(PERIOD)
        faults.note("last", job_id="last")

    assert [line["job_id"] for line in lines] == [*(f"j{number}" for number in range(LINES_LIMIT)), "last"]
    assert lines[-1]["not_logged"] == 4 * LINES_LIMIT
