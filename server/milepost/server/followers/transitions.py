"""Notify followers of durable job state transitions.

Dispatch, leases and cancellations follow the log like any subscriber. The call that caused a transition hands nothing
to them, so it does not matter which call, or which node, that was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from milepost.server.base.listeners import Listeners
from milepost.server.log.event_log import DurableCommit, Entry, EventLog
from milepost.v1 import Job


def follow_transitions(log: EventLog, *listeners: Callable[[Job], None]) -> None:
    """Call the listeners, in their order, with each job after each of its transitions, without its input."""
    all_listeners = Listeners(*listeners)

    def notify(entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, DurableCommit) and entry.commit.is_transition:
                job = Job.FromString(entry.commit.job)
                all_listeners.notify(job)

    log.add_listener(notify)
