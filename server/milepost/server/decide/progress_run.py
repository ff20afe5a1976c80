"""A run of progress updates of one stage: each becomes an event; only the last one needs folding.

Nine tenths of all updates are progress, and its numbers are absolute, so that the last of a run supersedes those before
it (see ``StageProgressed``). A run makes the same events as ``reporting`` and the fold do for each update by itself; a
property test proves that.

It takes the updates serialised. protobuf writes fields in the order of their numbers, so the bytes of plain progress
are those of its stage, then eight of ``current``, then at most a message; all of them stand in the event as they are.
To compare bytes takes less time than to read the fields one by one. The lengths have to be right to the last byte: what
follows may be fields of a later version, in which protobuf checks no text.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Final

from milepost.contract import limits
from milepost.fold import Fold, PathToJob
from milepost.server.messages.event_encoding import (
    CURRENT,
    MESSAGE,
    MESSAGE_BYTES_LIMIT,
    TOTAL,
    EventEncoder,
    tag,
)
from milepost.v1 import Stage, StageProgressed, StageState, Update

__all__ = ["PROGRESS", "DeepProgressRun", "ProgressRun"]

PROGRESS: Final = tag(Update.STAGE_PROGRESSED_FIELD_NUMBER)
"""What every serialised update of progress begins with."""

# The bytes before a text or message, its tag and its length, are one more from this size on, all included.
_LONG_FIELD: Final = 2 + (1 << 7)

(_MESSAGE_TAG,) = MESSAGE

_double = struct.Struct("<d").pack
_double_at = struct.Struct("<d").unpack_from
_DOUBLE_SIZE: Final = 8

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
        "_start",
        "_total",
        "_total_field",
        "stage_id",
    )

    def __init__(self, fold: Fold, stage: Stage, path: PathToJob) -> None:
        stage_id = stage.stage_id
        self.stage_id = stage_id
        self._fold = fold
        self._path = path
        # The fraction of a stage with stages of its own is theirs.
        self._has_own_fraction = not fold.children[stage_id]
        self._start = StageProgressed(stage_id=stage_id).SerializeToString() + CURRENT
        self._total = stage.total
        self._total_field = TOTAL + _double(stage.total)
        self._fraction = stage.fraction
        self._job_fraction = self._path.job_fraction(stage.fraction)
        # The field, of the last update that had one.
        self._message = b""
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

    def encode(self, updates: Sequence[bytes], sequence: int, encoder: EventEncoder) -> list[bytes]:
        """The frames of the updates up to the first that is not plain progress, which ``reporting`` must decide.

        The first event has the number ``sequence``. Plain progress is of this stage, has neither a total nor a unit,
        nor the numbers that the server authors, and moves the job.
        """
        # Locals, and no calls for what most updates need: this loop is a third of what a report costs.
        start, total, total_field = self._start, self._total, self._total_field
        fraction, job_fraction = self._fraction, self._job_fraction
        bound = fraction if self._has_own_fraction else math.inf
        job_fraction_of, most = self._path.job_fraction, limits.AMOUNT
        length = len(start) + _DOUBLE_SIZE
        current = 0.0
        last_message = b""
        encoded: list[tuple[bytes, float, float]] = []
        for update in updates:
            size = len(update)
            begin = 2 if size < _LONG_FIELD else 3
            if not update.startswith(start, begin) or (update[1] != size - 2 and not _is_one_field(update)):
                break
            end = begin + length
            message = update[end:]
            if (
                message
                and (message[0] != _MESSAGE_TAG or message[1] != len(message) - 2)
                and not _is_message(message)
            ):
                break
            (reported,) = _double_at(update, end - _DOUBLE_SIZE)
            if not 0 < reported <= most:
                break
            reached = reported / total
            if reached > bound:
                if reached > 1.0:
                    reached = 1.0
                bound = fraction = reached
                job_fraction = job_fraction_of(fraction)
            if not job_fraction or not fraction:
                break
            current = reported
            if message:
                last_message = message
            encoded.append((update[begin:end] + total_field + message, fraction, job_fraction))
        if encoded:
            self._current, self._fraction, self._job_fraction = current, fraction, job_fraction
            self._message = last_message or self._message
        return encoder.stage_progressed(sequence, encoded)

    def fold(self, sequence: int) -> None:
        """Fold in the run as its last event, which has this sequence. A run without updates changes nothing."""
        if not self._current:
            return
        message = self._message[2 if len(self._message) < _LONG_FIELD else 3 :].decode()
        self._fold.apply_progress(
            sequence, self.stage_id, self._current, message, self._fraction, self._job_fraction
        )
        self._current = 0.0


class DeepProgressRun(ProgressRun):
    """A run below many levels, which each update walks: it ends after ``slice_steps``, where others may go first."""

    __slots__ = ("_steps", "_until")

    def __init__(self, fold: Fold, stage: Stage, path: PathToJob, slice_steps: float) -> None:
        super().__init__(fold, stage, path)
        self._steps = len(path) // _LEVELS_PER_STEP
        self._until = fold.steps + slice_steps

    def encode(self, updates: Sequence[bytes], sequence: int, encoder: EventEncoder) -> list[bytes]:
        """See ``ProgressRun``."""
        left = self._until - self._fold.steps
        if left < self._steps * len(updates):
            updates = updates[: max(math.ceil(left / self._steps), 0)]
        frames = super().encode(updates, sequence, encoder)
        self._fold.steps += self._steps * len(frames)
        return frames


def _is_message(field: bytes) -> bool:
    """Whether these bytes are one field: a message of at most ``MESSAGE_BYTES_LIMIT``."""
    return field[0] == _MESSAGE_TAG and len(field) <= MESSAGE_BYTES_LIMIT and _is_one_field(field)


def _is_one_field(field: bytes) -> bool:
    """Whether nothing follows the text or message that these bytes begin with."""
    size = len(field)
    if size < _LONG_FIELD:
        return field[1] == size - 2
    return field[1] > 0x7F and field[1] & 0x7F | field[2] << 7 == size - 3
