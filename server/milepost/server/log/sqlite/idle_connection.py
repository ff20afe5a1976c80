"""What a connection keeps in memory while nobody uses it."""

from __future__ import annotations

import sqlite3
import sys
import weakref
from typing import Final

from milepost.server.log.sqlite import statements

_NOTED_CURSORS: Final = 200
"""Cursors after which sqlite3 drops its weak references to those of them that are gone (``created_cursors``)."""

_ONLY_HERE: Final = 2
"""References to an object that only a variable and the call that counts them have."""


def free_memory(connection: sqlite3.Connection) -> None:
    """Free the cached pages, as far as SQLite can at the moment, and the weak references to cursors that are gone.

    sqlite3 notes each cursor of a connection by a weak reference. Those that it noted during a surge lie between what
    has been freed since: each of them may hold a page of C's heaps, or even an arena of Python's.
    """
    connection.execute(statements.SHRINK_MEMORY)
    cursor = connection.cursor()
    noted = weakref.ref(cursor)  # the same object that sqlite3 has
    del cursor
    for _ in range(_NOTED_CURSORS):
        if sys.getrefcount(noted) <= _ONLY_HERE:
            break
        connection.cursor()
