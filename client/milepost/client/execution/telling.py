"""What a job is told of the command that does its work."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType
from typing import Final, Self

from milepost.client.execution.lines import Line
from milepost.client.execution.progress import Reader, Reading
from milepost.client.worker.job import JobContext
from milepost.client.worker.stage import StageContext

__all__ = ["Telling"]

_STAGE: Final = "run"
# Of stderr, for the detail of a failure.
_LAST_LINES: Final = 20


class Telling:
    """Makes log lines and stages of what a command writes. From any thread.

    A context manager: the stages end as what leaves it has it.
    """

    def __init__(self, job: JobContext, reader: Reader | None, stage_id: str) -> None:
        """Starts the stage, where one is named.

        Args:
            job: The job.
            reader: Finds progress in the lines; None for none.
            stage_id: The stage whose progress it is. Empty for one of its own, which there is once there is progress.

        Raises:
            ValueError: The stage_id is none.
        """
        self._job = job
        self._reader = reader
        self._usual = stage_id or _STAGE
        self._lock = threading.Lock()
        self._stages: dict[str, StageContext] = {}
        self._errors: deque[str] = deque(maxlen=_LAST_LINES)
        if stage_id:
            self._stage(stage_id)

    @property
    def last_errors(self) -> str:
        """The last lines of stderr."""
        with self._lock:
            return "\n".join(self._errors)

    def out(self, line: Line) -> None:
        """A line of stdout."""
        self._tell(line, "info")

    def err(self, line: Line) -> None:
        """A line of stderr."""
        if line.stays and line.text.strip():
            with self._lock:
                self._errors.append(line.text)
        self._tell(line, "warning")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            for stage in reversed(self._stages.values()):
                stage.__exit__(kind, error, traceback)

    def _tell(self, line: Line, severity: str) -> None:
        reading = self._reader(line.text) if self._reader is not None else None
        is_told = reading is not None and self._move(reading)
        if (
            line.stays
            and line.text.strip()
            and not (is_told and reading is not None and reading.is_only_progress)
        ):
            self._job.log(line.text, severity=severity)

    def _move(self, reading: Reading) -> bool:
        """Whether it could be told."""
        with self._lock:
            try:
                stage = self._stage(reading.stage or self._usual)
                stage.update(reading.current, total=reading.total, message=reading.message)
            except ValueError:  # a name that no stage can have, or one stage too many
                return False
        return True

    def _stage(self, stage_id: str) -> StageContext:
        stage = self._stages.get(stage_id)
        if stage is None:
            if stage_id == self._usual and not self._stages and not self._job.message.stages:
                self._job.plan([stage_id])  # there is no other, unless the command names one
            stage = self._stages[stage_id] = self._job.stage(stage_id).__enter__()
        return stage
