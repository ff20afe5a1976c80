"""Templates of a mapping: text with references to fields of a message. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Scope", "Template"]

_REFERENCE: Final = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Scope:
    """The fields that a template may refer to.

    Attributes:
        message: The decoded message; ``{a.b}`` is a field of its field ``a``, ``{a.0}`` the first item of its list.
        channel: Groups of the channel's name; ``{@id}`` is the group ``id``.
    """

    message: Any
    channel: Mapping[str, str]

    def find(self, path: str) -> Any:
        """The value at a path; None if there is none."""
        if path.startswith("@"):
            return self.channel.get(path[1:])
        value = self.message
        for name in path.split("."):
            if isinstance(value, Mapping):
                value = value.get(name)
            elif isinstance(value, Sequence) and not isinstance(value, str) and name.isdecimal():
                value = value[int(name)] if int(name) < len(value) else None
            else:
                return None
        return value


class Template:
    """Text with references, such as ``"{experiment_id}"`` or ``"run {data.run} on {@host}"``."""

    def __init__(self, text: str) -> None:
        self._text = text
        # One reference and nothing else: the value itself, whatever its type.
        self._only = match[1] if (match := _REFERENCE.fullmatch(text)) else None

    def value(self, scope: Scope) -> Any:
        """The value that a single reference has, else the text; None for a missing value, and for empty text."""
        return scope.find(self._only) if self._only is not None else self.text(scope) or None

    def text(self, scope: Scope) -> str:
        """The text, in which missing values are empty."""
        return _REFERENCE.sub(lambda match: _text_of(scope.find(match[1])), self._text)


def _text_of(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
