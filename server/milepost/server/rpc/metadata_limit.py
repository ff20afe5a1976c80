"""The limit on the metadata of a call.

gRPC's core holds to the limit as soon as the client has acknowledged the server's settings; until then it takes up to
16 MiB, and refuses some of what is above the limit at random. Those calls the server refuses itself, first of all,
since they may have thousands of fields. Hosts that flood the server with them are kept out (``floods``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from milepost.server.base.refusal import Refusal
from milepost.v1 import ErrorReason

Metadata: TypeAlias = Iterable[tuple[str, str | bytes]]

METADATA_SIZE: Final = 8 << 10
"""Metadata of a call in bytes, by the count of HTTP/2: names, values, and 32 for each."""

_FIELD_COST: Final = 32


def metadata_size(metadata: Metadata) -> int:
    """The size of the metadata of a call; see ``METADATA_SIZE``."""
    return sum([len(name) + len(value) + _FIELD_COST for name, value in metadata])


def too_large(size: int) -> Refusal:
    """The refusal of a call with metadata of this size."""
    return Refusal(
        ErrorReason.ERROR_REASON_LIMIT_REACHED,
        f"The call has {size:,} bytes of metadata, of which {METADATA_SIZE:,} are allowed. Send less.",
        metadata={"limit": "metadata"},
    )
