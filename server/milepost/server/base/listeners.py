"""Listeners of one source: an error of one of them keeps nothing from the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

_Message = TypeVar("_Message")


class Listeners(Generic[_Message]):
    """Functions that are called in the order in which they were added, on the event loop's thread."""

    def __init__(self, *listeners: Callable[[_Message], None]) -> None:
        self._listeners = list(listeners)

    def add(self, listener: Callable[[_Message], None]) -> None:
        """Add one after the others."""
        self._listeners.append(listener)

    def notify(self, message: _Message) -> None:
        """Call all of them. The event loop's handler of exceptions gets what one raises, as that of any callback."""
        for listener in self._listeners:
            try:
                listener(message)
            except Exception as error:  # noqa: BLE001  # see above
                context = {"message": f"exception in listener {listener!r}", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)
