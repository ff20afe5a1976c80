"""Grace periods: how long a handler may take to stop."""

from __future__ import annotations

import time
from typing import Final

from milepost.v1 import Cancellation

__all__ = ["ENDED_JOB_GRACE", "STOP_GRACE", "remaining_grace"]

STOP_GRACE: Final = 4.0
"""Seconds for a handler that has lost its lease, or whose worker stops."""

ENDED_JOB_GRACE: Final = 0.75
"""Seconds for a handler whose job has ended, as after a cancellation without a grace period."""

# Part of the grace period, and its maximum in seconds, that the worker reserves to kill the handler and to report that
# before the server ends the job without it.
_MARGIN_FRACTION: Final = 0.25
_MARGIN_LIMIT: Final = 1.0


def remaining_grace(cancellation: Cancellation) -> float:
    """Seconds from now until the handler must have stopped.

    The clocks of server and worker may differ: if by this clock the grace period begins in the future, or is over, it
    begins now. The server would be the first to know that it is over.
    """
    begin = _seconds(cancellation.request_time.ToNanoseconds())
    grace = max(_seconds(cancellation.deadline.ToNanoseconds()) - begin, 0.0)
    passed = time.time() - begin
    left = grace - passed if 0 <= passed < grace else grace
    return left - min(left * _MARGIN_FRACTION, _MARGIN_LIMIT)


def _seconds(nanoseconds: int) -> float:
    return nanoseconds / 1e9
