"""Earlier durations of the stages of a kind, in memory for reports that plan stages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from milepost.contract.sized_cache import SizedCache
from milepost.server.scheduling.steps import Steps

LEARNED_BYTES: Final = 4 << 20
"""Bound of the memory of these durations."""

LEARNED_AGE: Final = 60.0
"""Seconds for which learned durations are used: learning them again judges the runs that have ended since."""

_OVERHEAD: Final = 400
_STAGE_SIZE: Final = 120
"""Bytes of a kind, and of a stage, about."""


async def _learn_nothing(owner: str, kind: str) -> None:
    """No kind has run."""


class LearnedStages:
    """Median seconds of each stage by owner and kind.

    ``learn`` returns them, None for a kind without runs; ``now`` is in seconds, monotonic.
    """

    def __init__(
        self,
        learn: Callable[[str, str], Awaitable[Mapping[str, float] | None]] = _learn_nothing,
        now: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._learn = learn
        self._now = now
        self._known: SizedCache[tuple[str, str], tuple[float, Mapping[str, float]]] = SizedCache(
            LEARNED_BYTES
        )

    def evict_idle(self) -> Steps[None]:
        """See ``IdleCaches``: of the durations of stages."""
        return self._known.evict_idle()

    async def prepare(self, owner: str, kind: str) -> None:
        """Load the durations of a kind, for an attempt that starts or resumes."""
        found = self._known.get((owner, kind))
        if found is None or self._now() - found[0] >= LEARNED_AGE:
            seconds = await self._learn(owner, kind)
            if seconds is None:
                return
            self._known.put((owner, kind), (self._now(), seconds), _OVERHEAD + _STAGE_SIZE * len(seconds))

    def seconds(self, owner: str, kind: str) -> Mapping[str, float]:
        """The loaded durations. Not a coroutine, since a decision awaits nothing."""
        found = self._known.get((owner, kind))
        return {} if found is None else found[1]
