"""How often in a row a watch or a loop goes on after errors without a reason. Pure: no transport, no clock."""

from __future__ import annotations

from typing import Final

from milepost.client._transport.backoff import is_transient, is_unexplained
from milepost.client.errors import MilepostError

__all__ = ["UNEXPLAINED_LIMIT", "UnexplainedErrors"]

UNEXPLAINED_LIMIT: Final = 8
"""Consecutive errors without a reason of which the last one ends a watch, or the loop that repeats a call.

The delays between them are 6 s on average, and 13 s at most: what is behind a proxy may be replaced in that time. After
five of them the first second would not be over.
"""


class UnexplainedErrors:
    """Tells an error that passes with the next stream or call from one that comes back.

    A proxy that resets a stream and a fault of the server look alike. What tells them apart is whether anything comes
    between two of them.
    """

    def __init__(self) -> None:
        self._consecutive = 0

    def may_repeat(self, error: MilepostError, *, connected_before: bool = True) -> bool:
        """Whether to make a call again after this error, which may be transient, too; see `is_transient`."""
        return is_transient(error, connected_before=connected_before) or self.may_pass(error)

    def may_pass(self, error: MilepostError) -> bool:
        """Whether to go on after this error; to be asked once of each that has no reason."""
        if not is_unexplained(error):
            return False
        self._consecutive += 1
        return self._consecutive < UNEXPLAINED_LIMIT

    def passed(self) -> None:
        """Note progress: the next error is the first of others."""
        self._consecutive = 0
