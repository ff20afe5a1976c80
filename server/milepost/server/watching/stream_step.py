"""One step of the watch loop: what reading after the cursor came to."""

from __future__ import annotations

import enum
from typing import Final


class Step(enum.Enum):
    """Outcome of reading after the cursor."""

    SENT = enum.auto()
    SKIPPED = enum.auto()
    """The filter hides all that was read."""
    NO_ROOM = enum.auto()
    """The caller's unread responses leave no room for what was read."""
    AT_HEAD = enum.auto()
    """There is nothing after the cursor."""


# Each batch takes several of them, and Python looks up an attribute of an enum anew each time.
SENT: Final = Step.SENT
SKIPPED: Final = Step.SKIPPED
NO_ROOM: Final = Step.NO_ROOM
AT_HEAD: Final = Step.AT_HEAD
