"""Relays updates to another reporter, as from a handler process to its attempt."""

from __future__ import annotations

from milepost.client._worker.reporter import Reporter
from milepost.v1 import StageProgressed, Update

__all__ = ["ReportRelay"]


class ReportRelay:
    """Appends updates to a reporter, in order.

    Their source has thinned them. While the reporter is congested, as when the server is unreachable, the relay thins
    progress again: it keeps only the newest of each stage (rule 15).
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._stages: dict[str, _PendingProgress] = {}

    def add(self, update: Update) -> None:
        """Append an update."""
        with self._reporter.lock:
            match update.WhichOneof("update"):
                case "stage_progressed":
                    self._progressed(update)
                case "stage_ended":
                    stage = self._stages.pop(update.stage_ended.stage_id, None)
                    last = stage.progress() if stage is not None else None
                    if last is not None:
                        self._reporter.add_locked(last)
                    self._reporter.add_locked(update)
                case "log_written" | "custom":
                    self._reporter.add_locked(update, droppable=True)
                case _:
                    self._reporter.add_locked(update)

    def _progressed(self, update: Update) -> None:
        progressed = update.stage_progressed
        stage = self._stages.setdefault(progressed.stage_id, _PendingProgress())
        if stage.pending is not None:
            stage.pending = _merge(stage.pending, progressed)
        elif self._reporter.uncongested:
            self._reporter.add_locked(update)
        else:
            stage.pending = progressed
            self._reporter.schedule_progress(stage.progress)


class _PendingProgress:
    """Progress of one stage, until the reporter polls it."""

    def __init__(self) -> None:
        self.pending: StageProgressed | None = None

    def progress(self) -> Update | None:
        pending, self.pending = self.pending, None
        return None if pending is None else Update(stage_progressed=pending)


def _merge(older: StageProgressed, newer: StageProgressed) -> StageProgressed:
    """The newer progress, with the fields that it leaves unchanged taken from the older."""
    if older.HasField("total") and not newer.HasField("total"):
        newer.total = older.total
    newer.message = newer.message or older.message
    newer.unit = newer.unit or older.unit
    return newer
