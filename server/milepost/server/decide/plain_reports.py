"""Reports of one plain update: what a worker sends that reports each thing as it happens.

They cost the most per event, since nothing is shared between the events of a report. What stays the same from one such
report to the next is kept instead: the sums of the levels above the stage, and the encoded fields of the attempt. The
events are those of ``report_batches``; a property test proves that.
"""

from __future__ import annotations

import hmac
import math
from typing import Final

from milepost.contract import limits
from milepost.contract.job_states import LEASED
from milepost.fold import Fold
from milepost.server.base.event_encoding import EventEncoder
from milepost.server.base.payloads import LOG_WRITTEN, STAGE_PROGRESSED
from milepost.server.decide.event_batch import EventBatch
from milepost.server.decide.progress_run import PROGRESS, ProgressRun
from milepost.server.decide.reporting import is_plain_line
from milepost.v1 import Update

__all__ = ["PlainReports"]

# Maximum levels above a stage whose sums are kept, so that what is kept takes about 2 KB at most.
_DEPTH_LIMIT: Final = 8


class PlainReports:
    """Decides plain updates of a job, one a report, until any other event of the job (see ``is_current``).

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

    def decide(self, update: Update, now: int, size: int) -> EventBatch | None:
        """The event of the update, folded in; None, and nothing changed, where ``report_batches`` must decide it.

        ``size`` is that of the job before, in bytes.
        """
        fold, sequence = self._fold, self._sequence + 1
        serialised = update.SerializeToString()
        if fold.job.state not in LEASED or size + len(serialised) > limits.JOB_SIZE:
            return None
        self._encoder.set_time(now)
        if serialised.startswith(PROGRESS):
            frame = self._progress(update, serialised, sequence)
            if frame is None:
                return None
            payload = STAGE_PROGRESSED
        elif update.HasField("log_written") and is_plain_line(fold, update.log_written):
            frame = self._encoder.log_written(sequence, update.log_written)
            fold.job.last_sequence = sequence
            payload = LOG_WRITTEN
        else:
            return None
        self._sequence = sequence
        return EventBatch.of(fold, [frame], now, payload)

    def _progress(self, update: Update, serialised: bytes, sequence: int) -> bytes | None:
        """The frame of the progress, folded in; None where it is not plain."""
        run, self._run = self._run, None
        frames = [] if run is None else run.encode((serialised,), sequence, self._encoder)
        if not frames:
            run = ProgressRun.of(self._fold, update.stage_progressed.stage_id, math.inf)
            frames = [] if run is None else run.encode((serialised,), sequence, self._encoder)
        if run is None or not frames:
            return None
        run.fold(sequence)
        if run.depth <= _DEPTH_LIMIT:
            self._run = run
        return frames[0]
