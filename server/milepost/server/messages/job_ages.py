"""How long ago something of a job happened, measured by a clock that does not jump.

The times in a job are wall-clock times, and that clock may be set: back, so that a time-out would fire hours late, or
forward, so that it would fire at once. So when an instant of a job is first seen it is noted by the monotonic clock,
and its age is measured by that from then on. Only what happened before this process started is measured by the wall
clock.
"""

from __future__ import annotations

from collections.abc import Collection

from milepost.server.base.clock import Clock
from milepost.server.messages.timestamps import SECOND


class JobAges:
    """The ages of those instants of unfinished jobs that limits of time are counted from."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # By job and instant: the reading of the monotonic clock then, in nanoseconds.
        self._seen: dict[str, dict[int, int]] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def age(self, job_id: str, instant: int) -> int:
        """Nanoseconds since the instant; at least 0."""
        now = round(self._clock.monotonic() * SECOND)
        seen = self._seen.get(job_id, {}).get(instant)
        if seen is None:
            seen = now - max(self._clock.now() - instant, 0)
            self._seen.setdefault(job_id, {})[instant] = seen
        return now - seen

    def keep(self, job_id: str, instants: Collection[int]) -> None:
        """Note these instants of the job, and forget all others."""
        ages = {instant: self.age(job_id, instant) for instant in instants}
        if ages:
            self._seen[job_id] = {instant: self._seen[job_id][instant] for instant in ages}
        else:
            self._seen.pop(job_id, None)
