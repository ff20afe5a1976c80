"""Convert messages to what JSON is made of, by the protobuf JSON mapping."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.message import Message

from milepost.client._job_snapshot import JobSnapshot
from milepost.contract.message_json import json_text

__all__ = ["to_json"]


def to_json(message: Message | JobSnapshot, *, always_print: bool = False) -> dict[str, Any]:
    """Convert a message to a dict for `json.dumps`: the JSON mapping of https://protobuf.dev/programming-guides/json.

    Names are in lowerCamelCase, 64-bit integers are strings, times are RFC 3339, enums are names, and fields with a
    zero or empty value are absent. Unlike the mapping, whole numbers within a Struct become ints, and nothing fails: an
    `Any` of an unknown type, or with a malformed value, becomes ``{"@type": …, "value": …}`` with its value in base64.

    Args:
        message: Any message, or a job that `Client.get` returned.
        always_print: Include fields with a zero or empty value, except fields with presence, such as messages.
    """
    proto = message.proto if isinstance(message, JobSnapshot) else message
    converted: dict[str, Any] = json.loads(json_text(proto, always_print=always_print))
    return converted
