"""Text within its bounds: what is too long is cut where it can be seen, and never fails the job (rule 15)."""

from __future__ import annotations

import contextlib
import re

from milepost.contract.limits import FAILURE_CODE

__all__ = ["clip", "clip_bytes", "failure_code", "text_of", "unicode_text"]

_NOT_IN_CODE = re.compile(r"[^A-Za-z0-9._-]+")


def clip(text: str, length: int) -> str:
    """The text in at most `length` characters; one that is cut says by how much."""
    text = unicode_text(text_of(text))
    if len(text) <= length:
        return text
    kept = max(length - len(_mark(len(text))), 0)
    return (text[:kept] + _mark(len(text) - kept))[:length]


def clip_bytes(text: str, size: int) -> str:
    """The text in at most `size` bytes of UTF-8; one that is cut says by how many characters."""
    text = unicode_text(text_of(text))
    if len(text) * 4 <= size:
        return text
    encoded = text.encode()
    if len(encoded) <= size:
        return text
    room = max(size - len(_mark(len(text)).encode()), 0)
    kept = encoded[:room].decode(errors="ignore")
    return kept + _mark(len(text) - len(kept))


def failure_code(name: str) -> str:
    """The nearest thing to `name` that may be the code of a failure."""
    code = _NOT_IN_CODE.sub("_", text_of(name)).lstrip("._-")[:64]
    return code if FAILURE_CODE.fullmatch(code) else "ERROR"


def _mark(count: int) -> str:
    return f"… [clipped {count} characters]"


def text_of(value: object) -> str:
    """The text itself, or what `str` makes of anything else; its type where it makes nothing."""
    if isinstance(value, str):
        return value
    with contextlib.suppress(Exception):  # of a class that cannot be printed
        return str(value)
    # Python prints no int of more than some thousand decimal digits.
    return hex(value) if isinstance(value, int) else f"<{type(value).__name__}>"


def unicode_text(text: str) -> str:
    """The text itself, or, where it holds what is not Unicode (as file names may), an escaped form of it."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace").decode()
    return text
