"""Read the comments of the protos, which are part of the contract."""

from __future__ import annotations

import re
from pathlib import Path

import milepost.v1

__all__ = ["comments"]

_COMMENT = re.compile(r"// ?(.*)")
_OPENING = re.compile(r"(?:message|enum|service|oneof) (\w+) \{(\})?")
_MEMBER = re.compile(r"(?:rpc (\w+)\(|(?:[\w.<>, ]+ )?(\w+) = \d+;)")


def comments() -> dict[str, str]:
    """The comment above each message, field, oneof, enum, value and RPC, by its name: ``Job``, ``Job.job_id``.

    Fields of a oneof are named as fields of their message.
    """
    found: dict[str, str] = {}
    for directory in milepost.v1.__path__:
        for path in Path(directory).glob("*.proto"):
            found.update(_comments(path.read_text(encoding="utf-8")))
    return found


def _comments(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    above: list[str] = []
    within: list[str] = []
    for line in map(str.strip, text.splitlines()):
        if comment := _COMMENT.fullmatch(line):
            above.append(comment[1])
            continue
        if opening := _OPENING.match(line):
            found[".".join([*within[:1], opening[1]])] = " ".join(above)
            if not opening[2]:
                within.append(opening[1])
        elif member := _MEMBER.match(line):
            found[".".join([*within[:1], member[1] or member[2]])] = " ".join(above)
        elif line == "}":
            within.pop()
        above = []
    return found
