"""How often in a row a watch goes on after errors without a reason. Pure: no transport, no clock."""

from __future__ import annotations

from typing import Final

from milepost.client._transport.backoff import is_unexplained
from milepost.client.errors import MilepostError

__all__ = ["UNEXPLAINED_LIMIT", "UnexplainedErrors"]

UNEXPLAINED_LIMIT: Final = 8
"""Consecutive errors without a reason of which the last one ends a watch.

The delays between them are 6 s on average, and 13 s at most: what is behind a proxy may be replaced in that time. After
five of them the first second would not be over.
"""


class UnexplainedErrors:
    """Tells an error that passes with the next stream from one that comes back.

    A proxy that resets a stream and a fault of the server look alike. What tells them apart is whether anything comes
    between two of them.
    """

    def __init__(self) -> None:
        self._consecutive = 0

    def may_pass(self, error: MilepostError) -> bool:
        """Whether to go on after this error; to be asked once of each that has no reason."""
        if not is_unexplained(error):
            return False
        self._consecutive += 1
        return self._consecutive < UNEXPLAINED_LIMIT

    def passed(self) -> None:
        """Note progress: the next error is the first of others."""
        self._consecutive = 0
