"""What the pipeline sends to others: the webhook and the chat message."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from examples.multitrack.run_files import replacing

__all__ = ["body_of", "deliver"]

_TIMEOUT: Final = 10.0


def body_of(value: Mapping[str, Any]) -> bytes:
    """The same bytes for the same value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def deliver(body: bytes, url: str, message_id: str, record: Path, *, shadow: bool) -> str:
    """Send a body once: what was sent, or would have been, is in `record` from then on.

    If the process dies between the answer and the record, the next attempt sends it again, under the same id, which
    the receiver can tell it by.

    Args:
        body: JSON.
        url: Where to; empty for nowhere.
        message_id: Identifies the message for its receiver.
        record: The file for the body.
        shadow: Whether the job is a shadow, which sends nothing.

    Returns:
        What was done, for the job's log.

    Raises:
        OSError: The receiver did not answer, or refused it.
    """
    if record.exists():
        return "sent in an earlier attempt"
    if url and not shadow:
        request = urllib.request.Request(
            url,
            body,
            {"Content-Type": "application/json", "Webhook-Id": message_id},
            method="POST",
        )
        if request.type not in {"http", "https"}:
            raise OSError(f"{url!r} is no URL of a web server.")
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
            response.read()
    with replacing(record) as partial:
        partial.write_bytes(body)
    return "recorded, since this is a shadow" if shadow else f"sent to {url}" if url else "recorded"
