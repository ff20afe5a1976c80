"""Escape text for terminals. Server and client write all text of jobs and users through here."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

__all__ = ["escape", "escape_json", "escape_values"]

# Controls (C0 except tab and line feed, DEL, C1), which steer a terminal; format characters, which reorder or hide text
# (bidirectional marks, overrides and isolates, zero-width characters, tags); separators that are line ends to some; and
# lone surrogates, which cannot be encoded. Visible characters, such as Arabic number signs, stay.
_UNPRINTABLE: Final = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f"
    "\\ud800-\\udfff\\ufeff\\ufff9-\\ufffb\\U000e0000-\\U000e007f]"
)


def escape(text: str) -> str:
    """Escape every character that would control the terminal, or reorder or hide text. Tabs and line feeds stay."""
    return _UNPRINTABLE.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def escape_json(text: str) -> str:
    r"""Escape the same characters in JSON as ``\uXXXX``; they occur only within strings, so the value is the same."""
    return _UNPRINTABLE.sub(_json_escape, text)


def escape_values(logger: object, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: escapes all text in a log entry before it is rendered for a terminal."""
    return {escape(key): _escape_value(value) for key, value in entry.items()}


def _escape_value(value: object) -> object:
    match value:
        case str():
            return escape(value)
        case Mapping():
            return {_escape_value(key): _escape_value(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_escape_value(inner) for inner in value]
        case _:
            return value  # shown by repr(), which escapes by itself


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
