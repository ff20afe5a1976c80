"""The deadlines of a core, with leases of half a minute."""

from __future__ import annotations

from milepost.server.followers.deadlines import Deadlines
from tests.unit.server.core import Core

__all__ = ["LEASE", "core_deadlines"]

LEASE = 30.0
"""Seconds."""


def core_deadlines(core: Core) -> Deadlines:
    """The deadlines of the core; they do not follow its log yet."""
    return Deadlines(core.journal, core.sessions, core.clock, core.tasks, LEASE)
