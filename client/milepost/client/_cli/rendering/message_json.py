"""Protobuf messages as JSON, one object per line."""

from __future__ import annotations

from google.protobuf.message import Message

from milepost.client._cli.rendering.json_line import always_print, dump_json
from milepost.client._message_json import to_json
from milepost.v1 import Waiting

__all__ = ["message_line", "waiting_line"]


def message_line(message: Message) -> str:
    """Encode a message on one line; with zero and empty fields under ``--always-print``."""
    return dump_json(to_json(message, always_print=always_print.get()))


def waiting_line(waiting: Waiting) -> str:
    """Encode why a job is queued on one line."""
    return dump_json({"waiting": to_json(waiting, always_print=always_print.get())})
