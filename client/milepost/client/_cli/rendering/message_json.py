"""Protobuf messages, and the state of a connection, as JSON, one object per line."""

from __future__ import annotations

from google.protobuf.message import Message

from milepost.client._cli.rendering.json_line import Json, always_print, dump_json
from milepost.client._message_json import to_json
from milepost.client._watch.connection_state import Connection
from milepost.v1 import Waiting

__all__ = ["connection_line", "message_line", "waiting_line"]


def message_line(message: Message, **more: Json) -> str:
    """Encode a message, with ``more`` fields, on one line; with zero and empty fields under ``--always-print``."""
    return dump_json({**to_json(message, always_print=always_print.get()), **more})


def waiting_line(waiting: Waiting) -> str:
    """Encode why a job is queued on one line."""
    return dump_json({"waiting": to_json(waiting, always_print=always_print.get())})


def connection_line(connection: Connection) -> str:
    """Encode the state of a connection on one line."""
    fields: dict[str, Json] = {"state": connection.state}
    if connection.resumed_at is not None:
        fields["resumedAt"] = connection.resumed_at
    if connection.error:
        fields |= {"retryIn": round(connection.retry_in, 3), "error": connection.error}
    return dump_json({"connection": fields})
