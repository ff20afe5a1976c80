"""Transport fallback: stream, replay, polling. Pure; the caller passes the time in."""

from __future__ import annotations

import enum
from typing import Final

__all__ = ["TransportFallback", "TransportMode"]

# Consecutive failed streams, each with an answered call beside it, after which streams count as blocked.
_BLOCKED_THRESHOLD: Final = 3
# The same for a watch whose time to connect is over. The first stream may have failed because the server was away a
# moment ago: while gRPC waits to reconnect it fails streams at once, but repeats calls. A second failure is conclusive.
_LAST_BLOCKED_THRESHOLD: Final = 2
# Consecutive failed streams from which on a call probes the server.
_PROBE_THRESHOLD: Final = 2
# Seconds of silence after which a stream counts as blocked where others were blocked before.
_BLOCKED_OPENING_TIMEOUT: Final = 5.0
# Seconds in a fallback mode before the next attempt at long-lived streams.
_STREAM_RETRY_INTERVAL: Final = 300.0


class TransportMode(enum.Enum):
    """How a watch gets its events."""

    STREAM = "stream"
    """One long-lived stream, the normal mode."""
    REPLAY = "replay"
    """A series of streams that end at the head: these pass proxies that buffer a response until it is complete."""
    CALL = "call"
    """Unary calls, which return only the current state."""


_TEXTS: Final = {
    TransportMode.STREAM: "",
    TransportMode.REPLAY: "calls are answered, but long-lived streams do not get through: polling for new events",
    TransportMode.CALL: "calls are answered, but no stream gets through: polling the job's state",
}


class TransportFallback:
    """Chooses the best transport mode that works.

    A proxy between client and server may not support streams: it cuts them, or buffers a response until its end. A call
    beside a failed stream distinguishes that from a server that is down, where the call fails as well.

    Attributes:
        mode: The transport mode to use.
        blocked_streams: Consecutive streams that failed while the server answered a call.
    """

    def __init__(self) -> None:
        self.mode = TransportMode.STREAM
        self.blocked_streams = 0
        self._failures = 0
        self._since = 0.0

    def opening_timeout(self, timeout: float) -> float:
        """Seconds that a stream has to open, of `timeout` where none was blocked before."""
        return _BLOCKED_OPENING_TIMEOUT if self.blocked_streams else timeout

    @property
    def text(self) -> str:
        """Why the mode is not ``STREAM``, for people; empty if it is."""
        return _TEXTS[self.mode]

    def stream_opened(self) -> None:
        """Note that a stream delivered a frame."""
        self._failures = 0
        if self.mode is TransportMode.STREAM:
            self.blocked_streams = 0

    def stream_failed(self, *, last: bool = False) -> bool:
        """Note a stream that failed without a frame; return whether to probe with a call. `last`: no more attempts."""
        self._failures += 1
        return last or self._failures >= _PROBE_THRESHOLD

    def probed(self, *, answered: bool, now: float, last: bool = False) -> bool:
        """Note the outcome of a call beside a failed stream; return whether the mode changed.

        `last`: no more attempts, except for one after the first stream that fails beside an answered call.
        """
        if not answered:
            self.mode, self.blocked_streams = TransportMode.STREAM, 0
            return False
        self.blocked_streams += 1
        threshold = _LAST_BLOCKED_THRESHOLD if last else _BLOCKED_THRESHOLD
        if self.mode is TransportMode.STREAM and self.blocked_streams >= threshold:
            self.mode, self._since = TransportMode.REPLAY, now
        elif self.mode is TransportMode.REPLAY:
            self.mode, self._since = TransportMode.CALL, now
        else:
            return False
        self._failures = 0
        return True

    def call_failed(self) -> None:
        """Note that a call failed in the mode CALL: start over with streams."""
        self.mode, self.blocked_streams, self._failures = TransportMode.STREAM, 0, 0

    def retry_stream(self, now: float) -> None:
        """Return to streams if the retry interval is over; one more failure is then enough to fall back."""
        if self.mode is not TransportMode.STREAM and now - self._since >= _STREAM_RETRY_INTERVAL:
            self.mode = TransportMode.STREAM
            self.blocked_streams, self._failures = _BLOCKED_THRESHOLD - 1, _PROBE_THRESHOLD - 1
