"""What the tasks of one application share in one process."""

from __future__ import annotations

import atexit
import os
import sys
import weakref
from typing import Any, Final

from celery import Celery

from milepost.client.engines.celery.parent_reports import ParentReports
from milepost.client.engines.celery.task_client import TaskClient

__all__ = ["Installation", "installation_of", "register"]


class Installation:
    """The state of one application, set up by `install`.

    Attributes:
        client: Submits and claims the jobs of tasks; not for the parent of a prefork pool.
        parent_reports: Ends jobs for the parent of a pool.
        flush_timeout: Seconds for the server to acknowledge the last reports of a task.
        redelivery_delay: Seconds until a task that runs elsewhere already is tried again.
    """

    def __init__(
        self, client: TaskClient, parent_reports: ParentReports, flush_timeout: float, redelivery_delay: float
    ) -> None:
        self.client = client
        self.parent_reports = parent_reports
        self.flush_timeout = flush_timeout
        self.redelivery_delay = redelivery_delay
        # The parent of the prefork pool; 0 if this process is not of such a worker.
        self._forking_pid = 0

    def enter_worker(self, *, forks: bool, slots: int) -> None:
        """Note that this process is a worker, and whether it forks the processes that run its tasks.

        Args:
            forks: Whether it does.
            slots: How many tasks each process runs at once.
        """
        self._forking_pid = os.getpid() if forks else 0
        self.client.keep_session(slots)
        if not forks:
            atexit.register(self.leave_worker)
            self.client.deliver_spool()

    def enter_pool_process(self) -> None:
        """Note that this process was forked to run tasks."""
        if self.may_connect:
            self.client.deliver_spool()

    def leave_worker(self) -> None:
        """Prepare for the end of this process, which ran tasks: wait until their reports are acknowledged."""
        if self.may_connect:
            self.client.close(self.flush_timeout)

    @property
    def may_connect(self) -> bool:
        """Whether gRPC works here: not in a process that forks, and not where green threads replace real ones."""
        return self._forking_pid != os.getpid() and not _is_monkey_patched()

    @property
    def is_pool_process(self) -> bool:
        """Whether this process was forked for one task at a time, so that a signal to it is one to its task."""
        return self._forking_pid not in (0, os.getpid())


_installations: Final[weakref.WeakKeyDictionary[Celery[Any], Installation]] = weakref.WeakKeyDictionary()


def register(app: Celery[Any], installation: Installation) -> None:
    """Set what `installation_of` returns for `app`."""
    _installations[app] = installation


def installation_of(app: Celery[Any]) -> Installation | None:
    """The installation of `app`; None if `install` was not called."""
    current = getattr(app, "_get_current_object", None)  # an empty group has a proxy of its application
    return _installations.get(app if current is None else current())


def _is_monkey_patched() -> bool:
    """Whether gevent or eventlet have replaced the threads of this process."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None and gevent.is_module_patched("threading"):
        return True
    eventlet = sys.modules.get("eventlet.patcher")
    return eventlet is not None and bool(eventlet.is_monkey_patched("thread"))
