"""Decide a whole report: the events of its updates, in batches, and which updates are refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType
from typing import Final, NamedTuple

from milepost.contract import limits
from milepost.contract.job_states import LEASED
from milepost.fold import Fold
from milepost.server.base.refusal import Refusal
from milepost.server.decide.event_batch import EventBatch
from milepost.server.decide.progress_run import PROGRESS, ProgressRun
from milepost.server.decide.reporting import is_plain_line, report_steps
from milepost.server.decide.size_budget import SizeBudget
from milepost.server.decide.stage_weights import learn_weights
from milepost.server.messages.event_encoding import EventEncoder, event_frame
from milepost.server.messages.field_checks import Check
from milepost.server.messages.payloads import LOG_WRITTEN, STAGE_PROGRESSED, payloads_of
from milepost.v1 import Event, Job, Stage, Update

__all__ = ["Rejection", "ReportBatch", "report_batches"]

_AUTHORED_SIZE: Final = 80
"""Estimated size in bytes of what the server adds to an update: job, sequence, time, fractions."""

# Steps (see ``SLICE_STEPS``) of an update apart from the stages that it walks, of a frame, of a batch, and of bytes.
_UPDATE_STEPS: Final = 10
_FRAME_STEPS: Final = 3
_BATCH_STEPS: Final = 100
_BYTES_PER_STEP: Final = 2048
_UPDATE_BYTES_PER_STEP: Final = 128

# Maximum bytes of an update on the fast path.
_PLAIN_BYTES: Final = 2 << 10

# Steps for each stage where weights are learned.
_WEIGHED_STEPS: Final = 2

_NOTHING: Final[Mapping[str, float]] = MappingProxyType({})

# Updates whose sizes are computed between two yields, and their bytes from which on it yields.
_SIZED_UPDATES: Final = 50
_SIZED_BYTES: Final = 128 << 10


class Rejection(NamedTuple):
    """An update that was refused. Its report number counts as used."""

    report_sequence: int
    refusal: Refusal


class ReportBatch(NamedTuple):
    """A part of a report.

    Attributes:
        events: The events to append.
        report_sequence: The number of its last update.
        rejections: Its updates that were refused.
    """

    events: EventBatch
    report_sequence: int
    rejections: Sequence[Rejection]


def report_batches(
    fold: Fold,
    updates: Sequence[Update],
    first: int,
    now: int,
    *,
    size: int,
    batch_bytes: int,
    over: Callable[[Job], Refusal],
    updates_size: int | None = None,
    slice_steps: float = math.inf,
    learned: Mapping[str, float] = _NOTHING,
) -> Generator[ReportBatch | None]:
    """Decide updates one after the other, and fold them in. The first has the report number ``first``.

    There is at least one batch; the last may be without events. A batch has at most ``batch_bytes``, or one event.
    ``size`` is that of the job before, in bytes; ``over`` makes the refusal of an update after the end of the attempt.
    ``updates_size`` is that of the updates, at most, where it is known: if all fit into one batch, none is measured.
    It yields None, too, where others may go first: after about ``slice_steps`` of work (see ``SLICE_STEPS``).
    ``learned`` is how long stages took before, in seconds, from which added ones get the weights that nobody gave.
    """
    most = batch_bytes + 1 if updates_size is None else updates_size + len(updates) * _AUTHORED_SIZE
    is_measured = most > batch_bytes
    if not is_measured:
        sizes = [0] * len(updates)
    else:
        sizes = yield from _sizes(updates)
        most = sum(sizes)
    budget = SizeBudget(size, most)
    pace = _Pace(fold, slice_steps)
    single = _SingleUpdates(fold, now, budget, pace, over, learned)
    encoder = EventEncoder(fold.job.job_id, now, fold.job.attempt)
    window = _Window(updates, sizes)
    progress = _PlainProgress(fold, updates, window, encoder, pace, slice_steps)
    sequence, position = fold.job.last_sequence, 0
    batch = _Batch()
    is_plain = budget.is_ample and fold.job.state in LEASED
    while position < len(updates):
        if batch.frames and batch.size + sizes[position] > batch_bytes:
            progress.end_run(sequence)
            yield batch.close(fold, now, first + position - 1)
            yield from pace.pause()
            batch = _Batch()
        # Fast path: nearly all updates are plain progress of one stage, and log lines, which change nothing.
        if is_plain and window.is_progress(position):
            plain = yield from progress.encode(position, batch_bytes - batch.size, sequence)
            if plain:
                batch.frames += plain
                batch.size += sum(sizes[position : position + len(plain)])
                batch.payloads |= STAGE_PROGRESSED
                sequence += len(plain)
                position += len(plain)
                continue
        update, update_size = updates[position], sizes[position]
        position += 1
        if is_plain and update.HasField("log_written") and is_plain_line(fold, update.log_written):
            frame = encoder.log_written(sequence + 1, update.log_written)
            batch.payloads |= LOG_WRITTEN
        else:
            progress.end_run(sequence)
            try:
                event = yield from single.apply(update)
            except Refusal as refusal:
                # Without its frames: this one has the batch, and all of the report.
                batch.rejections.append(Rejection(first + position - 1, refusal.with_traceback(None)))
                continue
            is_plain = budget.is_ample and fold.job.state in LEASED
            frame = event_frame(event)
            batch.payloads |= payloads_of([event])
            if single.steps:
                # So that a large result is not encoded twice in one slice, in its event and in its job.
                fold.steps += single.steps
                yield from pace.pause()
        sequence += 1
        batch.frames.append(frame)
        batch.size += update_size
    progress.end_run(sequence)
    yield batch.close(fold, now, first + len(updates) - 1)


class _Batch:
    """The batch that is being made. ``size`` is that of its updates, where they are measured."""

    __slots__ = ("frames", "payloads", "rejections", "size")

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.size = self.payloads = 0
        self.rejections: list[Rejection] = []

    def close(self, fold: Fold, now: int, last: int) -> ReportBatch:
        """The batch, whose last update has this number; what it takes to append it is counted."""
        events = EventBatch.of(fold, self.frames, now if self.frames else 0, self.payloads)
        fold.steps += _BATCH_STEPS + _FRAME_STEPS * len(self.frames)
        fold.steps += (len(events.job) + self.size) // _BYTES_PER_STEP
        return ReportBatch(events, last, self.rejections)


class _PlainProgress:
    """The updates of a report that are plain progress of one stage after another, each of them encoded as a run."""

    def __init__(
        self,
        fold: Fold,
        updates: Sequence[Update],
        window: _Window,
        encoder: EventEncoder,
        pace: _Pace,
        slice_steps: float,
    ) -> None:
        self._fold = fold
        self._updates = updates
        self._window = window
        self._encoder = encoder
        self._pace = pace
        self._slice_steps = slice_steps
        self._run: ProgressRun | None = None

    def encode(self, position: int, room: int, sequence: int) -> Generator[None, None, Sequence[bytes]]:
        """The frames of plain progress from this position on that have room; none if the first is not plain.

        ``sequence`` is that of the event before.
        """
        ahead = self._window.fitting(position, room)
        frames = self._encode(ahead, sequence)
        if frames:
            return frames
        stage_id = self._updates[position].stage_progressed.stage_id
        if self._run is not None and self._run.stage_id == stage_id:
            return ()
        self.end_run(sequence)
        yield from self._pace.pause()
        self._fold.steps += _UPDATE_STEPS
        self._run = ProgressRun.of(self._fold, stage_id, self._slice_steps)
        return self._encode(ahead, sequence)

    def end_run(self, sequence: int) -> None:
        """Fold in the run, and the log lines among it, up to this sequence."""
        if self._run is not None:
            self._run.fold(sequence)
            self._run = None
        self._fold.job.last_sequence = sequence

    def _encode(self, updates: Sequence[bytes], sequence: int) -> Sequence[bytes]:
        return [] if self._run is None else self._run.encode(updates, sequence + 1, self._encoder)


class _SingleUpdates:
    """The updates of a report off the fast path, each decided and folded by itself."""

    def __init__(
        self,
        fold: Fold,
        now: int,
        budget: SizeBudget,
        pace: _Pace,
        over: Callable[[Job], Refusal],
        learned: Mapping[str, float],
    ) -> None:
        self.steps = 0
        """Steps of the last update because of its size."""
        self._fold = fold
        self._now = now
        self._budget = budget
        self._pace = pace
        self._over = over
        self._learned = learned
        self._stages_planned = 0

    def apply(self, update: Update) -> Generator[None, None, Event]:
        """Return the event of an update, folded in. Raises the refusal of the update."""
        fold = self._fold
        yield from self._pace.pause()
        self.steps = update.ByteSize() // _UPDATE_BYTES_PER_STEP
        fold.steps += _UPDATE_STEPS + self.steps
        if fold.job.state not in LEASED:
            raise self._over(fold.job)
        if update.HasField("stages_planned"):
            self._stages_planned += len(update.stages_planned.stages)
            _check_stages_planned(self._stages_planned)
        event = yield from report_steps(fold, update, self._now)
        if self._learned:
            _weigh(fold, event, self._learned)
        self._budget.fit(fold, event)
        yield from self._pace.pause()  # deciding takes long for a plan
        fold.apply(event)
        fold.steps += self.steps
        yield from self._pace.pause()  # folding takes long for a large result
        return event


class _Window:
    """The updates of a report, serialised for the fast path, a few at a time."""

    __slots__ = ("_begin", "_serialised", "_sizes", "_updates")

    def __init__(self, updates: Sequence[Update], sizes: Sequence[int]) -> None:
        self._updates = updates
        self._sizes = sizes
        self._begin = 0
        self._serialised: list[bytes] = []

    def is_progress(self, position: int) -> bool:
        """Whether the update at this position is progress, and not too large to be plain."""
        if position >= self._begin + len(self._serialised):
            end = position + _SIZED_UPDATES
            self._begin = position
            self._serialised = [
                update.SerializeToString() if size <= _PLAIN_BYTES else b""
                for update, size in zip(self._updates[position:end], self._sizes[position:end], strict=True)
            ]
        return self._serialised[position - self._begin].startswith(PROGRESS)

    def fitting(self, position: int, room: int) -> list[bytes]:
        """The serialised updates from this position on that have ``room`` bytes, and at least one."""
        begin = position - self._begin
        sizes = self._sizes[position : self._begin + len(self._serialised)]
        if sum(sizes) <= room:
            return self._serialised[begin:]
        count = sum(1 for total in accumulate(sizes) if total <= room)
        return self._serialised[begin : begin + max(count, 1)]


def _sizes(updates: Sequence[Update]) -> Generator[None, None, list[int]]:
    """The approximate sizes of the events of these updates."""
    sizes: list[int] = []
    for first in range(0, len(updates), _SIZED_UPDATES):
        some = [update.ByteSize() + _AUTHORED_SIZE for update in updates[first : first + _SIZED_UPDATES]]
        sizes += some
        if sum(some) > _SIZED_BYTES:
            yield
    return sizes


def _weigh(fold: Fold, event: Event, learned: Mapping[str, float]) -> None:
    """Set the weights that are left open of stages that the event adds to the job."""
    added: Sequence[Stage] = ()
    if event.HasField("stages_planned"):
        added = event.stages_planned.stages
    elif event.HasField("stage_started"):
        stage = event.stage_started.stage
        if stage.stage_id in learned and stage.stage_id not in fold.stages:
            added = [stage]
    if added:
        learn_weights(added, learned, fold.job.stages)
        fold.steps += _WEIGHED_STEPS * (len(added) + len(fold.job.stages))


def _check_stages_planned(count: int) -> None:
    """Refuse a plan beyond what one report may plan: each costs as much as it has stages, whatever it changes."""
    if count > limits.STAGES_PLANNED:
        check = Check()
        check.too_large(
            "stages_planned.stages",
            f"makes the stages planned in one report {count:,}; at most {limits.STAGES_PLANNED:,} are allowed",
        )
        check.refuse()


class _Pace:
    """Yields after every ``slice_steps`` of the fold, so that other callers may go first."""

    def __init__(self, fold: Fold, slice_steps: float) -> None:
        self._fold = fold
        self._slice_steps = slice_steps
        self._end = fold.steps + slice_steps

    def pause(self) -> Generator[None]:
        """Yield if the slice is done."""
        if self._fold.steps >= self._end:
            yield
            self._end = self._fold.steps + self._slice_steps
