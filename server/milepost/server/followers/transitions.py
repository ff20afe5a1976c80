"""The turns of jobs' lives, told once they are durable to those who act on them.

Dispatch, leases and cancellations follow the log like any subscriber. Nothing is handed from the call that caused a
turn to those who act on it, so it does not matter which call, or which node, that was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from milepost.server.log.event_log import DurableCommit, Entry, EventLog
from milepost.v1 import Job


def follow_transitions(log: EventLog, *listeners: Callable[[Job], None]) -> None:
    """Calls the listeners, in their order, with each job that took a turn, as it was after it (without its input)."""

    def tell(entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, DurableCommit) and entry.commit.is_transition:
                job = Job.FromString(entry.commit.job)
                for listener in listeners:
                    listener(job)

    log.add_listener(tell)
