"""Faults that keep a node from writing although it is connected to NATS; an operator has to mend them."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from milepost.server.log.log_errors import StreamUnusable

_logger = structlog.get_logger("milepost.store")


class WriteFaults:
    """The present faults by their kind, such as ``stream``. It calls ``on_change`` when one comes, changes or goes.

    While there is one, the node serves reads and refuses writes.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._faults: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._faults)

    def set(self, kind: str, fault: str) -> None:
        """Set the fault of this kind, a sentence for operators; an empty one clears it."""
        if fault == self._faults.get(kind, ""):
            return
        if fault:
            self._faults[kind] = fault
            _logger.error("cannot write; reads continue", fault=fault)
        else:
            del self._faults[kind]
            _logger.info("can write again", mended=kind)
        self._on_change()

    def check(self) -> None:
        """Raise StreamUnusable if there is a fault."""
        if self._faults:
            raise StreamUnusable("; ".join(self._faults.values()))
