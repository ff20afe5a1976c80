"""Whether what subscribers saw is what the log holds: a recorder, and a validator for each promise of a watch.

A ``Recording`` keeps what one subscriber was shown, frame by frame, over as many streams as it took. A ``History`` is
what there was to be shown, read from the log afterwards. ``check`` holds the one against the other.
"""

from tests.support.validators.history import Commit, EventView, History, key
from tests.support.validators.recording import Frame, Recording, Stream, bookmark
from tests.support.validators.rules import VALIDATORS, Violation, check, failing, missing

__all__ = [
    "VALIDATORS",
    "Commit",
    "EventView",
    "Frame",
    "History",
    "Recording",
    "Stream",
    "Violation",
    "bookmark",
    "check",
    "failing",
    "key",
    "missing",
]
