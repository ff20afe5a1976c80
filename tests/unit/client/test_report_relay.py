"""Reports from a handler process: in order, and thinned while they cannot be sent."""

from __future__ import annotations

from typing import Any

from milepost.client._worker.reporter import Reporter
from milepost.client._worker.subprocess.report_relay import ReportRelay
from milepost.v1 import LogWritten, StageEnded, StageProgressed, StageState, Update

ENDED = Update(stage_ended=StageEnded(stage_id="a", state=StageState.STAGE_STATE_SUCCEEDED))


def progressed(current: float, stage_id: str = "a", **fields: Any) -> Update:
    """Progress of a stage."""
    return Update(stage_progressed=StageProgressed(stage_id=stage_id, current=current, **fields))


def line(text: str) -> Update:
    """A log line."""
    return Update(log_written=LogWritten(text=text))


def relayed(*updates: Update) -> list[Update]:
    """The updates to send after all of these have arrived."""
    reporter = Reporter(lambda: None)
    relay = ReportRelay(reporter)
    for update in updates:
        relay.add(update)
    taken: list[Update] = []
    while (batch := reporter.next_batch(1e9)) is not None:
        taken += batch.updates
        reporter.acknowledge(len(taken))
    return taken


def test_all_goes_through_in_order() -> None:
    """While few updates are pending."""
    updates = [progressed(1), line("x"), progressed(2), progressed(1, "b"), ENDED]
    assert updates == relayed(*updates)


def test_progress_is_thinned_while_much_waits() -> None:
    """To the newest of each stage, merged with the older ones' fields; other updates are all kept."""
    lines = [line(str(number)) for number in range(200)]
    results = [
        progressed(1, total=10.0, message="one"),
        progressed(2, unit="rows"),
        progressed(7, "b"),
        progressed(3),
    ]
    assert [*lines, progressed(3, total=10.0, message="one", unit="rows"), progressed(7, "b")] == relayed(
        *lines, *results
    )


def test_a_stage_ends_after_its_progress() -> None:
    """Pending progress of a stage goes first; later updates of the stage follow it."""
    lines = [line(str(number)) for number in range(200)]
    assert [*lines, progressed(2), ENDED, line("after")] == relayed(
        *lines, progressed(1), progressed(2), ENDED, line("after")
    )


def test_excess_updates_are_dropped_and_counted() -> None:
    """Log lines are dropped first (rule 15)."""
    taken = relayed(*(line("x" * 1000) for _ in range(20_000)), ENDED)
    assert taken[-1] == ENDED
    assert "updates were dropped here" in taken[-2].log_written.text
