"""Replay runs in virtual time through the server's estimator."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from bench.estimates.recorded_runs import RecordedRun, events
from milepost.server.estimation.histories import WARM_KINDS
from milepost.server.forecasting.calibration import CHECKPOINTS, Pool
from milepost.server.forecasting.job_observer import JobObserver
from milepost.server.forecasting.kind_history import KindHistory, RemainingTime
from milepost.server.forecasting.past_run import PastRun
from milepost.server.forecasting.run_encoding import decode, encode
from milepost.server.log.stored_runs import RUN_LIMIT

_START: Final = 1
"""The order of what happens at the same time."""

_ROUNDING: Final = 2e-9
"""Seconds. Events have times in nanoseconds."""


class Leak(Exception):
    """An estimate rests on a run that had not ended when its job started, or on a later event of the job."""


class Sample(NamedTuple):
    """An estimate for a run, as far as ``fraction`` of its time."""

    run: RecordedRun
    before: Sequence[RecordedRun]
    """The runs of its kind that had ended before it started, the latest last."""
    fraction: float
    elapsed: float
    estimate: RemainingTime | None
    seconds: float
    """Processor time that the estimate took."""


class Kind:
    """The runs of a kind that have ended, as they were recorded and as the server knows them."""

    def __init__(self, pool: Pool) -> None:
        self.history = KindHistory(pool)
        self.ended: list[RecordedRun] = []
        self.known: dict[int, float] = {}
        """When each run that the history has ended, by its identity."""
        self.stored: deque[tuple[int, PastRun]] = deque(maxlen=RUN_LIMIT)
        """The runs that the store has, with their positions."""

    def add(self, run: RecordedRun, position: int, *, units_known: bool) -> None:
        """Add a run that has ended."""
        past = past_of(run, units_known=units_known)
        self.history.add(past, position)
        self.known[id(past)] = run.ended
        self.ended.append(run)
        self.stored.append((position, past))

    def reload(self, pool: Pool) -> None:
        """Make the history from the runs that the store has."""
        self.history = KindHistory(pool)
        for position, past in self.stored:
            self.history.add(past, position)


def starts(
    runs: Sequence[RecordedRun], *, units_known: bool, restart_every: int = 0
) -> Iterator[tuple[RecordedRun, Kind]]:
    """Each run at its start, with what is known of its kind then.

    The server is restarted after each ``restart_every`` runs: it has what the store has, and no errors of forecasts but
    those of the kinds that ran last.
    """
    pool = Pool()
    kinds: dict[str, Kind] = {}
    unread: set[str] = set()
    moments = [(run.submitted, _START, index) for index, run in enumerate(runs)]
    moments += [(run.ended, _end_order(run), index) for index, run in enumerate(runs)]
    ended = 0
    for position, (_, order, index) in enumerate(sorted(moments)):
        run = runs[index]
        kind = kinds.setdefault(run.kind, Kind(pool))
        if run.kind in unread:
            unread.discard(run.kind)
            kind.reload(pool)
        if order == _START:
            yield run, kind
            continue
        kind.add(run, position, units_known=units_known)
        kinds[run.kind] = kinds.pop(run.kind)  # the last to run is the last
        ended += 1
        if restart_every and ended % restart_every == 0:
            pool = Pool()
            unread = set(kinds)
            for name in list(kinds)[-WARM_KINDS:]:
                unread.discard(name)
                kinds[name].reload(pool)


def run_samples(
    run: RecordedRun,
    history: KindHistory,
    ended: dict[int, float],
    before: Sequence[RecordedRun],
    *,
    units_known: bool,
) -> Iterator[Sample]:
    """The samples of one run with this history, of whose runs ``ended`` tells when they ended. Raises Leak."""
    for past in history.runs:
        if ended.get(id(past), float("inf")) > run.submitted:
            raise Leak(
                f"a run of {run.kind!r} that started at {run.submitted} sees one that had not ended then"
            )
    observer = JobObserver()
    pending = list(events(run, units_known=units_known))
    for fraction in CHECKPOINTS:
        elapsed = run.seconds * fraction
        while pending and pending[0][0] <= elapsed:
            observer.observe(pending.pop(0)[1])
        progress = observer.progress(run.instant(elapsed), _fraction(run, elapsed, units_known))
        if progress is None:
            continue
        if any(stage.last_update > elapsed + _ROUNDING for stage in progress.stages.values()):
            raise Leak(f"a run of {run.kind!r} that started at {run.submitted} sees its own future")
        started = time.process_time_ns()
        estimate = history.remaining(progress)
        took = (time.process_time_ns() - started) / 1e9
        yield Sample(run, before, fraction, elapsed, estimate, took)


def _end_order(run: RecordedRun) -> int:
    """A run that ends as another one starts has ended before it; one that takes no time has not ended before itself."""
    return _START + 1 if run.ended <= run.submitted else _START - 1


def past_of(run: RecordedRun, *, units_known: bool) -> PastRun:
    """The run as a server knows it once it has ended."""
    observer = JobObserver()
    for _, event in events(run, units_known=units_known):
        observer.observe(event)
    past = observer.run(run.instant(run.seconds))
    assert past is not None
    return decode(encode(past))


def _fraction(run: RecordedRun, elapsed: float, units_known: bool) -> float | None:
    """The fraction of the job, with stages that weigh the same, as the fold has it."""
    done = 0.0
    for stage in run.stages:
        if stage.end <= elapsed:
            done += 1
        elif stage.start <= elapsed and stage.ticks and units_known:
            done += sum(at <= elapsed for at in stage.ticks) / len(stage.ticks)
    return done / len(run.stages) if units_known and run.stages else None
