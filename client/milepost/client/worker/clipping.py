"""Text within its bounds: what is too long is cut where it can be seen, and never fails the job (rule 15)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from google.protobuf.struct_pb2 import Struct

from milepost.client.values import to_struct
from milepost.contract.limits import FAILURE_CODE, LOG_FIELDS_SIZE

__all__ = ["clip", "clip_bytes", "failure_code", "log_fields"]

_NOT_IN_CODE = re.compile(r"[^A-Za-z0-9._-]+")


def clip(text: str, length: int) -> str:
    """The text in at most `length` characters; one that is cut says by how much."""
    text = _unicode(text)
    if len(text) <= length:
        return text
    kept = max(length - len(_mark(len(text))), 0)
    return (text[:kept] + _mark(len(text) - kept))[:length]


def clip_bytes(text: str, size: int) -> str:
    """The text in at most `size` bytes of UTF-8; one that is cut says by how many characters."""
    text = _unicode(text)
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
    code = _NOT_IN_CODE.sub("_", name).lstrip("._-")[:64]
    return code if FAILURE_CODE.fullmatch(code) else "ERROR"


def log_fields(fields: Mapping[str, object]) -> Struct | None:
    """The fields of a log line. What JSON cannot say is said as text; what is too much is left out, and said to be."""
    if not fields:
        return None
    try:
        struct = to_struct(fields, "fields")
    except (TypeError, ValueError):
        struct = Struct()
        for key, value in fields.items():
            try:
                struct.MergeFrom(to_struct({key: value}, "fields"))
            except (TypeError, ValueError):
                struct.fields[_unicode(key)].string_value = clip_bytes(str(value), LOG_FIELDS_SIZE)
    size = struct.ByteSize()
    return struct if size <= LOG_FIELDS_SIZE else to_struct({"clipped": f"[clipped {size} bytes]"}, "fields")


def _mark(count: int) -> str:
    return f"… [clipped {count} characters]"


def _unicode(text: str) -> str:
    """The text itself, or, where it holds what is not Unicode (as file names may), an escaped form of it."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace").decode()
    return text
