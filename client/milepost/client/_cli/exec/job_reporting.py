"""What a job is told of the command that does its work."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from milepost.client._cli.exec.bar_progress import BarTracker
from milepost.client._cli.exec.line_splitter import OutputLine
from milepost.client._cli.exec.progress_patterns import Progress, ProgressParser
from milepost.client._worker.job_context import JobContext
from milepost.client._worker.stage_context import StageContext

__all__ = ["OutputReporter", "StreamListener"]

_DEFAULT_STAGE_ID: Final = "run"
# Of stderr, for the detail of a failure.
_ERROR_LINE_LIMIT: Final = 20
# Phases that get a stage of their own. OutputPump that jumps to and fro is not to fill the job with stages.
_PHASE_LIMIT: Final = 20


class OutputReporter:
    """Makes log lines and stages of what a command writes. From any thread.

    A context manager for as long as one attempt at the job lasts: the stages end as what leaves it has it. Between two
    attempts, and without a job, nothing is told.
    """

    def __init__(self, parser: ProgressParser | None, stage_id: str) -> None:
        """There is no job yet.

        Args:
            parser: Finds progress in the lines; None for none.
            stage_id: The stage whose progress it is. Empty for one of its own, which there is once there is progress.
        """
        self._parser = parser
        self._usual = stage_id or _DEFAULT_STAGE_ID
        self._starts_at_once = bool(stage_id)
        self._lock = threading.Lock()
        self._job: JobContext | None = None
        self._stages: dict[str, StageContext] = {}
        self._phase = self._usual
        self._phases = 1
        # Whether the stage is all that is planned, so that the job is done when it is.
        self._is_whole = False
        # A full bar of such a stage, until it is known whether another phase follows: a job that goes on is not done.
        self._held: Progress | None = None
        self._errors: deque[str] = deque(maxlen=_ERROR_LINE_LIMIT)

    @property
    def last_errors(self) -> str:
        """The last lines of stderr, or of a terminal that has only one stream."""
        with self._lock:
            return "\n".join(self._errors)

    def listener(self, severity: str, *, is_error: bool) -> StreamListener:
        """What hears one stream.

        Args:
            severity: Of its lines in the job's log.
            is_error: Whether they explain a failure.
        """
        return StreamListener(self, severity, is_error=is_error)

    def read(self, line: OutputLine) -> Progress | None:
        """What a line says of progress."""
        return self._parser(line.text) if self._parser is not None else None

    def log(self, text: str, severity: str, *, is_error: bool) -> None:
        """A line of the job's log."""
        with self._lock:
            job = self._job
            if is_error:
                self._errors.append(text)
        if job is not None:
            job.log(text, severity=severity)

    def begin_attempt(self, job: JobContext) -> Self:
        """From here on it is this attempt that is told."""
        with self._lock:
            self._job = job
            self._stages.clear()
            self._phase, self._phases = self._usual, 1
            self._is_whole, self._held = False, None
            if self._starts_at_once:
                self._stage(job, self._usual)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._flush_held(self._phase)
            for stage in reversed(self._stages.values()):
                stage.__exit__(kind, error, traceback)
            self._job = None

    def report(self, reading: Progress) -> bool:
        """Progress of a stage. Whether it could be told."""
        with self._lock:
            job = self._job
            if job is None:
                return False
            try:
                if reading.restarts and not reading.stage:
                    self._next_phase(job)
                stage = self._stage(job, reading.stage or self._phase)
                if reading.stage:
                    _update(stage, reading)
                elif self._is_whole and self._phases == 1 and reading.current == reading.total:
                    self._held = reading
                else:
                    self._held = None
                    _update(stage, reading)
            except ValueError:  # a name that no stage can have, or one stage too many
                return False
        return True

    def _next_phase(self, job: JobContext) -> None:
        """A stage never falls back, so that another phase is another stage.

        It is declared before the one that is done is told to be, which would be the whole of the job otherwise.
        """
        if self._phases == _PHASE_LIMIT or self._phase not in self._stages:
            return
        self._phases += 1
        before, self._phase = self._phase, job._control.stages.unused_id(self._usual)
        self._stage(job, self._phase)
        self._flush_held(before)
        self._stages.pop(before).__exit__(None, None, None)

    def _flush_held(self, phase: str) -> None:
        held, self._held = self._held, None
        if held is not None:
            _update(self._stages[phase], held)

    def _stage(self, job: JobContext, stage_id: str) -> StageContext:
        stage = self._stages.get(stage_id)
        if stage is None:
            if stage_id == self._usual and not self._stages and not job.message.stages:
                job.plan([stage_id])  # there is no other, unless the command names one
                self._is_whole = True
            stage = self._stages[stage_id] = job.stage(stage_id).__enter__()
        return stage


def _update(stage: StageContext, reading: Progress) -> None:
    stage.update(reading.current, total=reading.total, message=reading.message)


class StreamListener:
    """Hears one stream of the command's output."""

    def __init__(self, reporter: OutputReporter, severity: str, *, is_error: bool) -> None:
        self._reporter = reporter
        self._severity = severity
        self._is_error = is_error
        self._bars = BarTracker()

    def handle(self, line: OutputLine) -> None:
        """A line, which may yet be written over."""
        reading = self._reporter.read(line)
        whole = self._bars.update(line, reading)
        is_told = whole is not None and self._reporter.report(whole)
        # A bar that was redrawn is told as progress, and so is a line that is nothing else.
        is_only_progress = reading is not None and (line.redrawn or (is_told and reading.is_only_progress))
        if line.stays and line.text.strip() and not is_only_progress:
            self._reporter.log(line.text, self._severity, is_error=self._is_error)

    def poll(self, partial: Sequence[OutputLine]) -> None:
        """Nothing more was written for a moment: what stands there now is what a person sees."""
        for line in partial:
            self.handle(line)
        if (whole := self._bars.poll()) is not None:
            self._reporter.report(whole)
