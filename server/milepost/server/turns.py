"""The turns of jobs' lives, told once they are durable to those who act on them.

Dispatch, leases and cancellations follow the log like any subscriber. Nothing is handed from the call that caused a
turn to those who act on it, so it does not matter which call, or which node, that was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from milepost.server.log.event_log import Commit, EventLog
from milepost.v1 import Job


def follow_turns(log: EventLog, *listeners: Callable[[Job], None]) -> None:
    """Calls the listeners, in their order, with each job that took a turn, as it was after it (without its input)."""

    def tell(commits: Sequence[Commit]) -> None:
        for commit in commits:
            if commit.turns:
                job = Job.FromString(commit.job)
                for listener in listeners:
                    listener(job)

    log.follow(tell)
