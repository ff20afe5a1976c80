"""Report a command's output to its job, as log lines and stages."""

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
# Last lines of stderr that a failure includes as its detail.
_ERROR_LINE_LIMIT: Final = 20
# Maximum number of phases that become stages: progress that jumps back and forth must not fill the job.
_PHASE_LIMIT: Final = 20


class OutputReporter:
    """Turn output of a command into log lines and stages of a job. Thread-safe.

    A context manager for one attempt: its stages end with the outcome of the block. Output between
    attempts, or without a job, is not reported.
    """

    def __init__(self, parser: ProgressParser | None, stage_id: str) -> None:
        """Make a reporter without a job.

        Args:
            parser: Parses progress from lines; None for no progress.
            stage_id: The stage that progresses. Empty for the default one, which starts with the first progress.
        """
        self._parser = parser
        self._default_stage = stage_id or _DEFAULT_STAGE_ID
        self._starts_at_once = bool(stage_id)
        self._lock = threading.Lock()
        self._job: JobContext | None = None
        self._stages: dict[str, StageContext] = {}
        self._phase = self._default_stage
        self._phases = 1
        # Whether this stage is the whole plan, so that a full bar would show the job as done.
        self._is_only_stage = False
        # A full bar of such a stage, held back until the attempt ends or another phase begins.
        self._held: Progress | None = None
        self._errors: deque[str] = deque(maxlen=_ERROR_LINE_LIMIT)

    @property
    def last_errors(self) -> str:
        """The last lines of stderr, or of a terminal that has only one stream."""
        with self._lock:
            return "\n".join(self._errors)

    def listener(self, severity: str, *, is_error: bool) -> StreamListener:
        """Make the listener of one stream.

        Args:
            severity: Severity of its lines in the job's log.
            is_error: Whether its lines explain a failure.
        """
        return StreamListener(self, severity, is_error=is_error)

    def read(self, line: OutputLine) -> Progress | None:
        """Parse progress from a line."""
        return self._parser(line.text) if self._parser is not None else None

    def log(self, text: str, severity: str, *, is_error: bool) -> None:
        """Write a line to the job's log."""
        with self._lock:
            job = self._job
            if is_error:
                self._errors.append(text)
        if job is not None:
            job.log(text, severity=severity)

    def begin_attempt(self, job: JobContext) -> Self:
        """Report to this attempt from now on."""
        with self._lock:
            self._job = job
            self._stages.clear()
            self._phase, self._phases = self._default_stage, 1
            self._is_only_stage, self._held = False, None
            if self._starts_at_once:
                self._stage(job, self._default_stage)
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
        """Report progress of a stage. Return whether that was possible."""
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
                elif self._is_only_stage and self._phases == 1 and reading.current == reading.total:
                    self._held = reading
                else:
                    self._held = None
                    _update(stage, reading)
            except ValueError:
                # An invalid stage id, or too many stages.
                return False
        return True

    def _next_phase(self, job: JobContext) -> None:
        """Start the stage of a new phase, since the progress of a stage never decreases.

        The new stage is declared before the previous one ends, so that the job does not appear to be done in between.
        """
        if self._phases == _PHASE_LIMIT or self._phase not in self._stages:
            return
        self._phases += 1
        before, self._phase = self._phase, job._control.stages.unused_id(self._default_stage)
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
            if stage_id == self._default_stage and not self._stages and not job.message.stages:
                # The only stage, unless the command names others.
                job.plan([stage_id])
                self._is_only_stage = True
            stage = self._stages[stage_id] = job.stage(stage_id).__enter__()
        return stage


def _update(stage: StageContext, reading: Progress) -> None:
    stage.update(reading.current, total=reading.total, message=reading.message)


class StreamListener:
    """Handles the lines of one output stream."""

    def __init__(self, reporter: OutputReporter, severity: str, *, is_error: bool) -> None:
        self._reporter = reporter
        self._severity = severity
        self._is_error = is_error
        self._bars = BarTracker()

    def handle(self, line: OutputLine) -> None:
        """Handle a line, which may still be overwritten."""
        reading = self._reporter.read(line)
        total = self._bars.update(line, reading)
        is_reported = total is not None and self._reporter.report(total)
        # Redrawn bars and lines that consist of progress are reported as progress instead of being logged.
        is_only_progress = reading is not None and (
            line.redrawn or (is_reported and reading.is_only_progress)
        )
        if line.stays and line.text.strip() and not is_only_progress:
            self._reporter.log(line.text, self._severity, is_error=self._is_error)

    def poll(self, partial: Sequence[OutputLine]) -> None:
        """Handle a pause in the output: what is on the screen now is what a person sees."""
        for line in partial:
            self.handle(line)
        if (total := self._bars.poll()) is not None:
            self._reporter.report(total)
