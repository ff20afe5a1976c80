"""Validate what subscribers received against the log: a recorder, and a validator for each guarantee of a watch.

A ``Recording`` has the frames that one subscriber received over any number of streams. A ``History`` is the log, read
afterwards. ``check`` compares them.
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
