"""How many files the process may have open: each connection is one."""

from __future__ import annotations

import resource
from typing import Final

OPEN_FILES: Final = 20_000
"""Beyond it connections wait until others end. One that never speaks takes about 13 kB, and ends after 20 s."""


def raise_limit() -> None:
    """Let the process open so many files, or as many as the system allows.

    Systems start processes with 1,024, for the sake of programs that use select(); connections that never speak would
    soon keep everybody else out.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
