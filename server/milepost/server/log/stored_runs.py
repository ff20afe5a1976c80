"""The past runs that a store keeps for estimates. It does not know what is in them."""

from __future__ import annotations

from typing import Final, NamedTuple

RUN_LIMIT: Final = 32
"""Most recent runs of a kind that a store keeps."""

KIND_LIMIT: Final = 10_000
"""Kinds whose runs a store keeps; those whose latest run is the oldest go first."""

OWNER_KIND_LIMIT: Final = 1_000
"""Kinds of one owner among them."""


class StoredRun(NamedTuple):
    """A run of a kind, and the position of the commit that ended its job."""

    position: int
    run: bytes
