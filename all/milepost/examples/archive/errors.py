"""The error of archiving."""

from __future__ import annotations

__all__ = ["ArchiveError"]


class ArchiveError(Exception):
    """A directory could not be archived: a ``code`` for programs, and a sentence for people.

    Attributes:
        code: Such as ``"PATH_NOT_FOUND"``.
        retryable: Whether another attempt may succeed.
    """

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable
