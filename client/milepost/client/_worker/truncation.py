"""Text within the bounds of the contract: truncated visibly, so that it never fails the job (rule 15)."""

from __future__ import annotations

import contextlib
import re

from milepost.contract.limits import FAILURE_CODE

__all__ = ["failure_code", "text_of", "truncate", "truncate_bytes", "unicode_text"]

_NOT_IN_CODE = re.compile(r"[^A-Za-z0-9._-]+")


def truncate(text: str, length: int) -> str:
    """The text in at most `length` characters; a mark at the end says how many are missing."""
    text = unicode_text(text_of(text))
    if len(text) <= length:
        return text
    kept = max(length - len(_mark(len(text))), 0)
    return (text[:kept] + _mark(len(text) - kept))[:length]


def truncate_bytes(text: str, size: int) -> str:
    """The text in at most `size` bytes of UTF-8; a mark at the end says how many characters are missing."""
    text = unicode_text(text_of(text))
    if len(text) * 4 <= size:
        return text
    encoded = text.encode()
    if len(encoded) <= size:
        return text
    prefix_size = max(size - len(_mark(len(text)).encode()), 0)
    kept = encoded[:prefix_size].decode(errors="ignore")
    return kept + _mark(len(text) - len(kept))


def failure_code(name: str) -> str:
    """A valid failure code made from `name`."""
    code = _NOT_IN_CODE.sub("_", text_of(name)).lstrip("._-")[:64]
    return code if FAILURE_CODE.fullmatch(code) else "ERROR"


def _mark(count: int) -> str:
    return f"… [clipped {count} characters]"


def text_of(value: object) -> str:
    """The text itself, or the `str` of any other value; the name of its type if `str` fails."""
    if isinstance(value, str):
        return value
    with contextlib.suppress(Exception):  # the class may have a broken `__str__`
        return str(value)
    # Python prints no int of more than some thousand decimal digits.
    return hex(value) if isinstance(value, int) else f"<{type(value).__name__}>"


def unicode_text(text: str) -> str:
    """The text itself; with lone surrogates escaped if it has any, as file names may."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace").decode()
    return text
