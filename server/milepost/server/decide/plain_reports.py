"""Reports of plain updates: progress of one stage, and log lines, which nearly all reports consist of.

What stays the same from one such report to the next is kept: the sums of the levels above the stage, and the encoded
fields of the attempt. The events are those of ``report_batches``; a property test proves that.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final

from milepost.contract import limits
from milepost.contract.job_states import LEASED
from milepost.fold import Fold
from milepost.server.decide.event_batch import EventBatch
from milepost.server.decide.progress_run import PROGRESS, ProgressRun
from milepost.server.decide.reporting import is_plain_line
from milepost.server.messages.event_encoding import EventEncoder
from milepost.server.messages.payloads import LOG_WRITTEN, STAGE_PROGRESSED
from milepost.server.scheduling.steps import SLICE_STEPS
from milepost.v1 import Update

__all__ = ["PlainReports", "is_short"]

# Maximum updates of a report and their bytes, unless it is only one: their events fit into one commit, and to decide
# them takes half a slice.
_UPDATES_LIMIT: Final = 100
_BYTES_LIMIT: Final = 8 << 10

# Maximum levels above a stage whose sums are kept, so that what is kept takes about 2 KB at most.
_DEPTH_LIMIT: Final = 8


def is_short(updates: Sequence[Update], size: int | None) -> bool:
    """Whether ``PlainReports`` may decide a report. ``size`` is its bytes, at most; None where that is not known."""
    count = len(updates)
    return count == 1 or (0 < count <= _UPDATES_LIMIT and size is not None and size <= _BYTES_LIMIT)


class PlainReports:
    """Decides reports of plain updates of a job, until any other event of the job (see ``is_current``).

    ``token`` is the lease token of the job's attempt, which stays the same as long.
    """

    __slots__ = ("_encoder", "_fold", "_run", "_sequence", "_token")

    def __init__(self, fold: Fold, token: str) -> None:
        self._fold = fold
        self._token = token.encode()
        self._sequence = fold.job.last_sequence
        self._encoder = EventEncoder(fold.job.job_id, 0, fold.job.attempt)
        self._run: ProgressRun | None = None

    def is_current(self, fold: Fold, token: str) -> bool:
        """Whether this fold is the job's, and has had no other event since the last that was decided here, for whoever
        has this token.
        """
        return (
            fold is self._fold
            and fold.job.last_sequence == self._sequence
            and hmac.compare_digest(self._token, token.encode())
        )

    def decide(self, updates: Sequence[Update], now: int, size: int) -> EventBatch | None:
        """The events of the updates, folded in; None, and nothing changed, where ``report_batches`` must decide them.

        They are short (see ``is_short``). ``size`` is that of the job before, in bytes.
        """
        fold, encoder, first = self._fold, self._encoder, self._sequence + 1
        serialised = [update.SerializeToString() for update in updates]
        if fold.job.state not in LEASED or size + sum(map(len, serialised)) > limits.JOB_SIZE:
            return None
        encoder.set_time(now)
        # What it has encoded must be folded in, or it is of no more use.
        run, self._run = self._run, None
        frames: list[bytes] = []
        payloads = 0
        while (position := len(frames)) < len(serialised):
            update = updates[position]
            if serialised[position].startswith(PROGRESS):
                ahead = serialised[position:]
                progress = [] if run is None else run.encode(ahead, first + position, encoder)
                if not progress and not payloads & STAGE_PROGRESSED:
                    run = ProgressRun.of(fold, update.stage_progressed.stage_id, SLICE_STEPS)
                    progress = [] if run is None else run.encode(ahead, first + position, encoder)
                if not progress:
                    return None
                frames += progress
                payloads |= STAGE_PROGRESSED
            elif update.HasField("log_written") and is_plain_line(fold, update.log_written):
                frames.append(encoder.log_written(first + position, update.log_written))
                payloads |= LOG_WRITTEN
            else:
                return None
        self._sequence = last = self._sequence + len(frames)
        if run is not None:
            run.fold(last)
            if run.depth <= _DEPTH_LIMIT:
                self._run = run
        fold.job.last_sequence = last
        return EventBatch.of(fold, frames, now, payloads)
