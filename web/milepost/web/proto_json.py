"""Messages as JSON by the protobuf mapping: https://protobuf.dev/programming-guides/json."""

from __future__ import annotations

from google.protobuf.message import Message

from milepost.contract.message_json import json_text


def to_json(message: Message) -> str:
    """The message as one line of JSON."""
    return json_text(message)
