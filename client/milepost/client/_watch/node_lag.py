"""How long a watch waits for a node that lags behind the one that its cursor is from. Pure: no transport, no clock."""

from __future__ import annotations

from milepost.client.errors import MilepostError, SequenceAhead

__all__ = ["NodeLag"]


class NodeLag:
    """Tells a node that has yet to read what the cursor names from a cursor that is wrong.

    Nodes check the epoch first. So one that refuses a cursor as ahead of its log, with an epoch, has the log that the
    cursor comes from, and has only not read it as far. That passes, unless the number is not the server's.
    """

    def __init__(self, limit: float) -> None:
        """Wait for at most `limit` seconds, counted from the first such refusal since a stream opened."""
        self._limit = limit
        self._since: float | None = None

    def may_pass(self, error: MilepostError, epoch: str, now: float) -> bool:
        """Whether to repeat the request that this error refused; to be asked of each error of the watch.

        Args:
            error: How the stream ended.
            epoch: The epoch of the request; empty for any.
            now: Time in seconds, of any clock that never goes back.
        """
        if not (epoch and isinstance(error, SequenceAhead)):
            return False
        if self._since is None:
            self._since = now
        return now - self._since < self._limit

    def passed(self) -> None:
        """Note that a stream has opened: the node has read what the cursor names, and the next lag is another one."""
        self._since = None
