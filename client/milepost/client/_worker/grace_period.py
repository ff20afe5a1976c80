"""How long a handler has to stop."""

from __future__ import annotations

import time
from typing import Final

from milepost.v1 import Cancellation

__all__ = ["LAST_GRACE", "NO_GRACE", "grace_of"]

LAST_GRACE: Final = 4.0
"""Seconds for a handler whose job is not this worker's any more, or is to be given back as the worker stops."""

NO_GRACE: Final = 0.75
"""Seconds for a handler whose job has ended, as after a cancellation that left it no time."""

# What is kept of a grace to end the handler and to tell of it, before the server ends the job without its worker: this
# part of it, and so many seconds at the most.
_MARGIN: Final = 0.25
_MARGIN_MOST: Final = 1.0


def grace_of(cancellation: Cancellation) -> float:
    """In how many seconds, from now, the handler has to have stopped.

    The server's clock and this one may differ. Where they say that the grace began in the future, or is over, which the
    server would know first, it begins now.
    """
    begin = _seconds(cancellation.request_time.ToNanoseconds())
    grace = max(_seconds(cancellation.deadline.ToNanoseconds()) - begin, 0.0)
    passed = time.time() - begin
    left = grace - passed if 0 <= passed < grace else grace
    return left - min(left * _MARGIN, _MARGIN_MOST)


def _seconds(nanoseconds: int) -> float:
    return nanoseconds / 1e9
