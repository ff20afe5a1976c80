"""A run of progress updates of one stage: each becomes its own event, and only the last one is folded in.

Nine tenths of all updates are progress, and its numbers are absolute, so that the last of a run supersedes those before
it (see ``StageProgressed``). A run makes the same events as ``reporting`` and the fold do for each update by itself; a
property test proves that.
"""

from __future__ import annotations

from typing import Final

from milepost.contract import limits
from milepost.fold import Fold, PathToJob
from milepost.server.base.event_encoding import MESSAGE_BYTES_LIMIT, EventEncoder
from milepost.v1 import Event, Stage, StageProgressed, StageState

__all__ = ["DeepProgressRun", "ProgressRun"]

# Maximum characters, of up to four bytes each, in the message of plain progress; ``reporting`` decides longer ones.
_MESSAGE_LIMIT: Final = MESSAGE_BYTES_LIMIT // 4

# Levels that a run may have above it without counting what each of its updates costs.
_DEPTH_LIMIT: Final = 32

# Levels that an update of a run walks in one step (see ``SLICE_STEPS``).
_LEVELS_PER_STEP: Final = 5


class ProgressRun:
    """Progress of a stage that is RUNNING and has a total. It is valid until anything else of the job changes."""

    __slots__ = (
        "_current",
        "_fold",
        "_fraction",
        "_has_own_fraction",
        "_job_fraction",
        "_message",
        "_path",
        "_total",
        "stage_id",
    )

    def __init__(self, fold: Fold, stage: Stage, path: PathToJob) -> None:
        stage_id = stage.stage_id
        self.stage_id = stage_id
        self._fold = fold
        self._path = path
        # The fraction of a stage with stages of its own is theirs.
        self._has_own_fraction = not fold.children[stage_id]
        self._total = stage.total
        self._fraction = stage.fraction
        self._job_fraction = self._path.job_fraction(stage.fraction)
        self._message = ""
        self._current = 0.0

    @property
    def depth(self) -> int:
        """The number of levels above the stage, each of which takes memory."""
        return len(self._path)

    @staticmethod
    def of(fold: Fold, stage_id: str, slice_steps: float) -> ProgressRun | None:
        """A run of this stage, a ``DeepProgressRun`` below many levels; None unless it is RUNNING and has a total."""
        stage = fold.stages.get(stage_id)
        if stage is None or stage.state != StageState.STAGE_STATE_RUNNING or not stage.total > 0:
            return None
        path = PathToJob(fold, stage)
        if len(path) > _DEPTH_LIMIT:
            return DeepProgressRun(fold, stage, path, slice_steps)
        return ProgressRun(fold, stage, path)

    def encode(self, progress: StageProgressed, sequence: int, encoder: EventEncoder) -> bytes | None:
        """The frame of the next update; None where it is not plain progress, and ``reporting`` must decide it.

        Plain progress has neither a total nor a unit, nor the numbers that the server authors, and moves the job.
        """
        current, message = progress.current, progress.message
        if (
            not 0 < current <= limits.AMOUNT
            or len(message) > _MESSAGE_LIMIT
            or progress.unit
            or progress.HasField("total")
            or progress.fraction
            or progress.job_fraction
        ):
            return None
        if self._has_own_fraction:
            fraction = current / self._total
            if fraction > self._fraction:
                self._fraction = min(1.0, fraction)
                self._job_fraction = self._path.job_fraction(self._fraction)
        if not self._job_fraction or not self._fraction:
            return None
        self._current = current
        if message:
            self._message = message
        return encoder.stage_progressed(
            sequence, self.stage_id, current, self._total, message, self._fraction, self._job_fraction
        )

    def fold(self, sequence: int) -> None:
        """Fold in the run as its last event, which has this sequence. A run without updates changes nothing."""
        if not self._current:
            return
        event = Event(sequence=sequence)
        progress = event.stage_progressed
        progress.stage_id = self.stage_id
        progress.current = self._current
        progress.total = self._total
        progress.message = self._message
        progress.fraction = self._fraction
        progress.job_fraction = self._job_fraction
        self._fold.apply(event)
        self._current = 0.0


class DeepProgressRun(ProgressRun):
    """A run below many levels, which each update walks: it ends after ``slice_steps``, where others may go first."""

    __slots__ = ("_steps", "_until")

    def __init__(self, fold: Fold, stage: Stage, path: PathToJob, slice_steps: float) -> None:
        super().__init__(fold, stage, path)
        self._steps = len(path) // _LEVELS_PER_STEP
        self._until = fold.steps + slice_steps

    def encode(self, progress: StageProgressed, sequence: int, encoder: EventEncoder) -> bytes | None:
        """See ``ProgressRun``."""
        if self._fold.steps >= self._until:
            return None
        self._fold.steps += self._steps
        return super().encode(progress, sequence, encoder)
