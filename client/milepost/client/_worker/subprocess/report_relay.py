"""From the process of a handler to the reporter of its attempt."""

from __future__ import annotations

from milepost.client._worker.reporter import Reporter
from milepost.v1 import StageProgressed, Update

__all__ = ["Relay"]


class Relay:
    """Adds the updates to the reporter in the order in which they came.

    They were thinned where they come from. While they cannot be sent, as when the server is away, progress is thinned
    here too: of each stage there is only the newest (rule 15).
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._stages: dict[str, _Progress] = {}

    def add(self, update: Update) -> None:
        """Adds one."""
        with self._reporter.lock:
            match update.WhichOneof("update"):
                case "stage_progressed":
                    self._progressed(update)
                case "stage_ended":
                    stage = self._stages.pop(update.stage_ended.stage_id, None)
                    last = stage.progress() if stage is not None else None
                    if last is not None:
                        self._reporter.put(last)
                    self._reporter.put(update)
                case "log_written" | "custom":
                    self._reporter.put(update, droppable=True)
                case _:
                    self._reporter.put(update)

    def _progressed(self, update: Update) -> None:
        told = update.stage_progressed
        stage = self._stages.setdefault(told.stage_id, _Progress())
        if stage.waiting is not None:
            stage.waiting = _newer(stage.waiting, told)
        elif self._reporter.flowing:
            self._reporter.put(update)
        else:
            stage.waiting = told
            self._reporter.touch(stage)


class _Progress:
    """Of one stage, until the reporter asks for it."""

    def __init__(self) -> None:
        self.waiting: StageProgressed | None = None

    def progress(self) -> Update | None:
        told, self.waiting = self.waiting, None
        return None if told is None else Update(stage_progressed=told)


def _newer(before: StageProgressed, told: StageProgressed) -> StageProgressed:
    """What both say: the newer one, and what it leaves as it was."""
    if before.HasField("total") and not told.HasField("total"):
        told.total = before.total
    told.message = told.message or before.message
    told.unit = told.unit or before.unit
    return told
