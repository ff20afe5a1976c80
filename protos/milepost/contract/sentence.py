"""The full stop of a text whose end others have written, such as that of an exception."""

from __future__ import annotations

from typing import Final

__all__ = ["sentence"]

_ENDS: Final = (".", "?", "!", "…")


def sentence(text: str) -> str:
    """The text with a full stop, unless it ends like a sentence already."""
    text = text.rstrip()
    return text if text.endswith(_ENDS) else f"{text}."
