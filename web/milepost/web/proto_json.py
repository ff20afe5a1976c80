"""Messages as JSON by the protobuf mapping: https://protobuf.dev/programming-guides/json."""

from __future__ import annotations

import json

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message


def to_json(message: Message) -> str:
    """The message as one line of JSON."""
    return json.dumps(MessageToDict(message), ensure_ascii=False, separators=(",", ":"))
