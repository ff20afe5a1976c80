"""Listeners of one source: an error of one of them keeps nothing from the others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

from milepost.server.base.fault_log import FaultLog

_logger = structlog.get_logger("milepost.tasks")

_Message = TypeVar("_Message")


class Listeners(Generic[_Message]):
    """Functions that are called in the order in which they were added, on the event loop's thread."""

    def __init__(self, *listeners: Callable[[_Message], None]) -> None:
        self._listeners = list(listeners)
        self._failures = FaultLog(_logger, "listener failed", logging.ERROR)

    def add(self, listener: Callable[[_Message], None]) -> None:
        """Add one after the others."""
        self._listeners.append(listener)

    def notify(self, message: _Message) -> None:
        """Call all of them. What one raises is logged."""
        for listener in self._listeners:
            try:
                listener(message)
            except Exception as error:  # noqa: BLE001  # see above
                self._failures.note(repr(error), listener=repr(listener), exc_info=error)
