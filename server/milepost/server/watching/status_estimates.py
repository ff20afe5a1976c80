"""The estimates in the snapshot and the statuses of one watch: which is worth another status?

Clients count down between two statuses. So an estimate has changed where it differs from what they show by now.
"""

from __future__ import annotations

from typing import Final

from milepost.server.base.clock import Clock
from milepost.server.estimation.estimators import Estimators
from milepost.server.estimation.job_estimates import NO_ESTIMATE, SharedEstimate
from milepost.server.estimation.queue_estimates import hide_place
from milepost.server.messages.timestamps import SECOND, instant, nanoseconds
from milepost.server.watching.tails import Tail
from milepost.v1 import Estimate, Job, Waiting

CHANGE_MIN: Final = 0.05
"""Minimum relative change of a remaining time that is worth a status."""

VISIBLE_CHANGE_MIN: Final = 1.0
"""Minimum change in seconds: clients show whole seconds."""

INTERVAL: Final = 1.0
"""Minimum seconds between two looks at the estimate of a watched job."""

INTERVAL_MAX: Final = 10.0
"""Maximum seconds. Between two looks a fiftieth of the remaining time passes: an hour changes little in a second."""


class StatusEstimates:
    """The estimates that a watch of one job sends; without ``estimators``, none.

    They are of the job that the ``tail`` is of, once that knows it: its id may be another one's by now.
    """

    __slots__ = (
        "_awaits_refresh",
        "_caller",
        "_clock",
        "_due",
        "_estimators",
        "_job_id",
        "_sent",
        "_shows_place",
        "_tail",
    )

    def __init__(
        self,
        estimators: Estimators | None,
        clock: Clock,
        tail: Tail,
        job_id: str,
        caller: str,
        *,
        shows_place: bool = True,
    ) -> None:
        self._estimators = estimators
        self._clock = clock
        self._tail = tail
        self._job_id = job_id
        self._caller = caller
        self._shows_place = shows_place
        self._sent: Estimate | None = None
        self._due = 0.0
        self._awaits_refresh = False

    @property
    def is_look_due(self) -> bool:
        """Whether it is time to look at the estimate, see ``interval``."""
        return self._estimators is not None and self._clock.monotonic() >= self._due

    def may_be_worth_status(self, *, is_due: bool) -> bool:
        """Whether the estimate is worth a status now, if it is time to look, or goes with one that ``is_due``.

        It waits for nothing. If the job's watches have no estimate at hand, one of them has it refreshed, and the
        tail's signal is notified of the end of that, as of an event: so they look again. After a refresh that failed
        it is True, too, so that the task meets the error when it asks for the estimate.
        """
        if self._estimators is None or not (is_due or self.is_look_due):
            return is_due
        jobs, watched = self._estimators.jobs, (self._job_id, self._tail.submitted)
        shared = jobs.shared(*watched)
        if shared is None:
            has_failed = self._awaits_refresh and not jobs.is_refreshing(*watched)
            self._awaits_refresh = not has_failed
            if not has_failed:
                jobs.refresh(*watched, self._caller, self._tail.signal.notify)
            return has_failed
        self._awaits_refresh = False
        if is_due or differs(self._sent, shared.estimate, self._clock.now()):
            return True
        self._due = self._clock.monotonic() + interval(self._sent)
        return False

    async def has_changed(self) -> bool:
        """Whether the estimate is worth a status now, if it is time to look."""
        if self._estimators is None or not self.is_look_due:
            return False
        self._due = self._clock.monotonic() + interval(self._sent)
        found = await self._estimators.jobs.of_watched(self._job_id, self._tail.submitted, self._caller)
        return differs(self._sent, found, self._clock.now())

    async def next(self) -> Estimate | None:
        """The estimate for a status that is sent now."""
        if self._estimators is None:
            return None
        self._sent = await self._estimators.jobs.of_watched(self._job_id, self._tail.submitted, self._caller)
        return self._sent

    def at_hand(self) -> SharedEstimate | None:
        """What ``next`` would return without a wait; None where it has to wait."""
        if self._estimators is None:
            return NO_ESTIMATE
        return self._estimators.jobs.shared(self._job_id, self._tail.submitted)

    def note_sent(self, estimate: Estimate | None) -> None:
        """Note that a status was sent with what was ``at_hand``."""
        self._sent = estimate
        self._due = self._clock.monotonic() + interval(estimate)

    async def add_to(self, waiting: Waiting) -> None:
        """Add to what the job waits for how long that takes."""
        if self._estimators is not None:
            await self._estimators.queue.add_watched(
                self._job_id, self._tail.submitted, waiting, self._caller
            )
            if not self._shows_place:
                hide_place(waiting)

    async def add_to_snapshot(self, job: Job) -> None:
        """Set the estimate of the job that the watch starts with."""
        if self._estimators is not None:
            self._sent = await self._estimators.jobs.add_to_watched(job, self._caller)


def interval(sent: Estimate | None) -> float:
    """Seconds until the next look, after this estimate."""
    left = 0.0 if sent is None else nanoseconds(sent.remaining_p50) / SECOND
    return min(max(left / 50, INTERVAL), INTERVAL_MAX)


def differs(sent: Estimate | None, estimate: Estimate | None, now: int) -> bool:
    """Whether the estimate differs from the one that was sent, as that is counted down by ``now``, in nanoseconds."""
    if sent is None or estimate is None:
        return sent is not estimate
    if sent.overdue or estimate.overdue:
        return sent.overdue != estimate.overdue
    for before, after in (
        (sent.remaining_p50, estimate.remaining_p50),
        (sent.remaining_p90, estimate.remaining_p90),
    ):
        shown = max(nanoseconds(before) - (now - instant(sent.as_of)), 0) / SECOND
        is_now = max(nanoseconds(after) - (now - instant(estimate.as_of)), 0) / SECOND
        if abs(is_now - shown) > max(CHANGE_MIN * shown, VISIBLE_CHANGE_MIN):
            return True
    return False
