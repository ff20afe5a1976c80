"""The level of the server's log in the process of a test, whose own configuration of structlog stays as it is."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

import structlog

__all__ = ["level_of", "server_log"]

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_NAMESPACE: Final = "milepost."


def level_of(name: str) -> int:
    """The level of this name.

    Raises:
        ValueError: There is no such level.
    """
    if name not in _LEVELS:
        raise ValueError(f"There is no log_level={name!r}: use {', '.join(_LEVELS)}.")
    return _LEVELS[name]


@contextlib.contextmanager
def server_log(level: int) -> Iterator[None]:
    """Within this block the server logs from this level on; with several blocks, from the lowest of their levels."""
    if not _levels:
        current = structlog.get_config()["logger_factory"]
        if (
            current is not _factory
        ):  # as it is where somebody has restored a configuration of an earlier block
            _factory.wrapped = current
        structlog.configure(logger_factory=_factory)
    _levels.append(level)
    try:
        yield
    finally:
        _levels.remove(level)
        if (
            not _levels and structlog.get_config()["logger_factory"] is _factory
        ):  # nobody has configured it since
            structlog.configure(logger_factory=_factory.wrapped)


class _LoggerFactory:
    """Makes loggers as `wrapped` does; those of the server log only from the level of the block on."""

    def __init__(self) -> None:
        self.wrapped: Callable[..., Any] = structlog.PrintLoggerFactory()

    def __call__(self, *names: Any) -> Any:
        logger = self.wrapped(*names)
        return _ServerLogger(logger) if names and str(names[0]).startswith(_NAMESPACE) else logger


class _ServerLogger:
    """A logger without the methods of levels below that of the block."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger

    def __getattr__(self, name: str) -> Any:
        is_hidden = _LEVELS.get(name, logging.CRITICAL) < min(_levels, default=logging.NOTSET)
        return _discard if is_hidden else getattr(self._logger, name)


def _discard(*_: object, **__: object) -> None:
    """Log nothing."""


_levels: Final[list[int]] = []
_factory: Final = _LoggerFactory()
