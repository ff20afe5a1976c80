"""What a picture is made for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from milepost.client._cli.rendering.state_style import UNICODE, Marks

__all__ = ["Canvas"]

_WIDTH_MOST = 120


@dataclass(frozen=True)
class Canvas:
    """Cells across and lines down, the time, its zone (``None``: the local one), and the marks that can be shown."""

    width: int
    height: int
    now: datetime
    zone: tzinfo | None = None
    marks: Marks = UNICODE
    stands: bool = False
    """Whether the picture is the last one. It may be higher than the terminal, and leaves nothing out."""

    @property
    def measure(self) -> int:
        """The cells across that are used: on a wide terminal not all, since eyes have to follow a line."""
        return min(self.width, _WIDTH_MOST)
