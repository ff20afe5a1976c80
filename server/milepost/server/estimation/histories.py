"""The histories of kinds, decoded: read from the log when they are needed, in a cache that is bounded in bytes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from milepost.contract.sized_cache import SizedCache
from milepost.server.base.fault_log import FaultLog
from milepost.server.base.refusal import Refusal
from milepost.server.decide.stage_weights import learn_weights
from milepost.server.forecasting.calibration import Pool
from milepost.server.forecasting.kind_history import KindHistory
from milepost.server.forecasting.past_run import PastRun
from milepost.server.forecasting.run_encoding import decode
from milepost.server.log.event_log import DurableCommit, Entry, EventLog
from milepost.server.log.log_errors import StoreError
from milepost.server.log.stored_runs import RUN_LIMIT, StoredRun
from milepost.server.scheduling.callers import SERVER
from milepost.server.scheduling.slices import Slices
from milepost.server.scheduling.steps import Steps
from milepost.v1 import Job

HISTORY_BYTES: Final = 24 << 20
"""Bound of the memory of decoded histories; the log has all of them."""

WARM_KINDS: Final = 64
"""Kinds whose histories are read at the start, so that kinds with few runs have errors of others to go by."""

_logger = structlog.get_logger("milepost.estimates")

# Measured bytes of a history without runs, and of a run, a stage and a knot of a curve, decoded.
_HISTORY_OVERHEAD = 2600
_RUN_OVERHEAD = 1200
_STAGE_OVERHEAD = 520
_KNOT_OVERHEAD = 64


class _Known:
    """A history, and the runs that are not in it yet."""

    def __init__(self, pool: Pool, ignored: FaultLog) -> None:
        self.history = KindHistory(pool)
        self._ignored = ignored
        self.lock = asyncio.Lock()
        self.is_loaded = False
        self.pending: dict[int, bytes] = {}
        self.last = -(1 << 63)
        self.memory = _HISTORY_OVERHEAD

    def note(self, stored: StoredRun) -> None:
        """Add a run later; all but the latest may go."""
        self.pending[stored.position] = stored.run
        if len(self.pending) > RUN_LIMIT:
            del self.pending[min(self.pending)]

    def absorb(self) -> Steps[None]:
        """Add the runs that wait, and judge the forecasts for them."""
        for position in sorted(self.pending):
            run = self.pending.pop(position, None)
            if run is None or position <= self.last:  # ``note`` may have removed it between two slices
                continue
            self.last = position
            try:
                self.history.add(decode(run), position)
            # Of a newer version, damaged, or such that it cannot be judged; jobs start without it.
            except Exception as error:  # noqa: BLE001
                self._ignored.note(repr(error), error=str(error) or repr(error))
            yield
        self.memory = _HISTORY_OVERHEAD + sum(map(_memory, self.history.runs))


class Histories:
    """Reads histories from the log, and follows it for runs that end."""

    def __init__(self, log: EventLog, slices: Slices) -> None:
        self._log = log
        self._slices = slices
        self._pool = Pool()
        self._known: SizedCache[tuple[str, str], _Known] = SizedCache(HISTORY_BYTES)
        self._loading: dict[tuple[str, str], _Known] = {}
        self._ignored = FaultLog(_logger, "past run ignored")
        self._failures = FaultLog(_logger, "history not read", logging.ERROR)

    @property
    def memory(self) -> int:
        """Bytes of memory, about."""
        return self._known.size

    def evict_idle(self) -> Steps[None]:
        """See ``IdleCaches``: of histories."""
        return self._known.evict_idle()

    async def get(self, owner: str, kind: str, caller: str = SERVER) -> KindHistory:
        """The history of a kind; one without runs if there are none. Raises what reading the log does."""
        key = owner, kind
        known = self._known.get(key)
        if known is not None and not known.pending and not known.lock.locked():
            return known.history
        known = known or self._loading.get(key)
        if known is None:
            known = self._loading[key] = _Known(self._pool, self._ignored)
        async with known.lock:
            try:
                if not known.is_loaded:
                    for stored in await self._log.runs(owner, kind, caller=caller):
                        known.note(stored)
                    known.is_loaded = True
                if known.pending:
                    await self._slices.run(known.absorb(), caller)
            finally:
                if self._loading.get(key) is known:
                    del self._loading[key]
            self._known.put(key, known, known.memory)
        return known.history

    async def weigh(self, job: Job) -> None:
        """Set the weights that are left open of the stages of a new job. Raises as ``stage_seconds``."""
        learn_weights(job.stages, await self.stage_seconds(job.owner, job.kind) or {})

    async def stage_seconds(self, owner: str, kind: str) -> Mapping[str, float] | None:
        """How long each stage of a kind takes (see ``KindHistory.weights``); None if it has no runs.

        None also where a defect keeps it from being known, since jobs start, and are accepted, without weights. Raises
        what the store does.
        """
        try:
            history = await self.get(owner, kind)
            return history.weights() if history.runs else None
        except (Refusal, StoreError):
            raise
        except Exception as error:  # noqa: BLE001
            self._failures.note(repr(error), owner=owner, kind=kind, exc_info=error)
            return None

    async def warm(self) -> None:
        """Read the histories of the kinds that ran last."""
        for owner, kind in reversed(await self._log.recent_kinds(WARM_KINDS)):
            await self.stage_seconds(owner, kind)

    def on_entries(self, entries: Sequence[Entry]) -> None:
        """Note the runs of jobs that ended, for the histories that are in memory."""
        for entry in entries:
            if isinstance(entry, DurableCommit) and entry.commit.run:
                attributes = entry.commit.attributes
                key = attributes.owner, attributes.kind
                known = self._loading.get(key) or self._known.get(key)
                if known is not None:
                    known.note(StoredRun(entry.position, entry.commit.run))


def _memory(run: PastRun) -> int:
    knots = sum(len(step.stage.curve.units) for step in run.steps if step.stage.curve is not None)
    return _RUN_OVERHEAD + _STAGE_OVERHEAD * len(run.steps) + _KNOT_OVERHEAD * knots
