"""Base class of the cursors of watches. Pure: no transport, no time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias, get_args

from milepost.client._conversion import to_duration
from milepost.client._watch.event_selection import EventSelection
from milepost.client.errors import EpochChanged, MilepostError, ProtocolError, SequenceTrimmed
from milepost.contract.limits import STATUS_INTERVAL
from milepost.v1 import Opened

__all__ = ["OnGap", "Start", "WatchCursor"]

Start: TypeAlias = Literal["after", "snapshot", "latest"]
OnGap: TypeAlias = Literal["raise", "snapshot"]

# A stream without any frame for this many status intervals, and a margin in seconds, counts as lost.
_SILENT_INTERVALS: Final = 2.5
_SILENT_MARGIN: Final = 5.0


class WatchCursor(ABC):
    """The options of a watch, and the state of its current stream; see `JobCursor` and `JobsCursor`.

    Attributes:
        epoch: Epoch of the cursor; empty until a stream has opened.
        head: The newest known sequence or, in a watch of many jobs, position.
        caught_up: Whether this or an earlier stream has reached the head.
        missing: Jobs that the watch has to fetch.
    """

    def __init__(
        self,
        *,
        epoch: str,
        start: Start,
        selection: EventSelection,
        on_gap: OnGap,
        follow: bool,
        status_interval: float | None,
    ) -> None:
        if on_gap not in get_args(OnGap):
            raise ValueError(f'There is no on_gap={on_gap!r}: use "raise" or "snapshot".')
        self.epoch: str = epoch
        self.head: int = 0
        self.caught_up: bool = False
        self.missing: list[str] = []
        self._start: Start = start
        self._selection = selection
        self._on_gap = on_gap
        self._follow = follow
        self._status_interval = status_interval
        self._opened = False
        self._reached_head = False

    @property
    @abstractmethod
    def resume_after(self) -> int:
        """The sequence or position that a new stream resumes after; 0 if it starts over."""

    @property
    def silence_timeout(self) -> float:
        """Seconds without any frame after which a stream counts as lost."""
        interval = to_duration(self._status_interval or STATUS_INTERVAL, "status_interval").ToTimedelta()
        return _SILENT_INTERVALS * interval.total_seconds() + _SILENT_MARGIN

    @property
    def opened(self) -> bool:
        """Whether the current stream has opened."""
        return self._opened

    @property
    def reached_head(self) -> bool:
        """Whether the current stream has reached the head."""
        return self._reached_head

    @property
    def complete(self) -> bool:
        """Whether the watch is complete if the current stream ends with OK now."""
        return self._reached_head and not self._follow

    def _new_stream(self, cursor: Mapping[str, int], *, finite: bool) -> dict[str, Any]:
        """Start a new stream: return what the requests of both kinds share. ``cursor`` is the field to resume after."""
        self._opened = self._reached_head = False
        interval = self._status_interval
        if interval is None and finite and self._follow:
            interval = STATUS_INTERVAL  # without it a stream that ends at the head has no status, and so no estimates
        fields = {
            "epoch": self.epoch,
            "delivery": self._selection.delivery,
            "no_follow": finite or not self._follow,
            "status_interval": None if interval is None else to_duration(interval, "status_interval"),
        }
        return {**fields, **(cursor if self._start == "after" else {f"from_{self._start}": True})}

    def _check_opened(self, frame: str | None) -> None:
        """Check that the current stream has opened before this frame.

        Raises:
            ProtocolError: It has not.
        """
        if not self._opened:
            raise ProtocolError(f"The stream began with {frame or 'an unknown frame'}, not with opened.")

    def _replaces_gap(self, error: MilepostError) -> bool:
        """Whether a snapshot is to replace events that are unavailable, as this error says."""
        return self._on_gap == "snapshot" and isinstance(error, SequenceTrimmed | EpochChanged)

    def _note_opened(self, opened: Opened) -> None:
        """Note that the current stream has opened."""
        self._opened = True
        self.head = (
            max(self.head, opened.head_sequence) if opened.epoch == self.epoch else opened.head_sequence
        )
        self.epoch = opened.epoch
