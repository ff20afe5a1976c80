"""The limit on metadata of a call.

gRPC's core holds to it as soon as the client has acknowledged the server's settings; until then it takes up to 16 MiB,
and refuses some of what is above the limit at random. Those calls the server refuses itself, first of all, since they
may have thousands of fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from milepost.server.base.refusal import Refusal
from milepost.v1 import ErrorReason

METADATA_SIZE: Final = 8 << 10
"""Metadata of a call in bytes, by the count of HTTP/2: names, values, and 32 for each."""

_FIELD_COST: Final = 32


def check_metadata(metadata: Iterable[tuple[str, str | bytes]]) -> None:
    """Check the metadata of a call. Raises LIMIT_REACHED where it is too large."""
    size = sum([len(name) + len(value) + _FIELD_COST for name, value in metadata])
    if size > METADATA_SIZE:
        raise Refusal(
            ErrorReason.ERROR_REASON_LIMIT_REACHED,
            f"The call has {size:,} bytes of metadata, of which {METADATA_SIZE:,} are allowed. Send less.",
            metadata={"limit": "metadata"},
        )
