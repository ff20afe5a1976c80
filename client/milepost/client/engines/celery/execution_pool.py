"""Which pools run tasks with jobs, and what a worker sets up when it starts."""

from __future__ import annotations

import logging
from typing import Any, Final

from celery import bootsteps, signals
from celery.exceptions import ImproperlyConfigured

from milepost.client.engines.celery.installation import installation_of
from milepost.client.engines.celery.milepost_task import MilepostTask

__all__ = ["MilepostStep"]

_logger = logging.getLogger("milepost.client")

_GREEN_POOLS: Final = {
    "celery.concurrency.gevent": "gevent",
    "celery.concurrency.eventlet": "eventlet",
}


class MilepostStep(bootsteps.StartStopStep):
    """Refuses pools that gRPC does not work in, before the worker takes a task."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        """See `install`; `parent` is the worker.

        Raises:
            ImproperlyConfigured: The pool is one of green threads.
        """
        super().__init__(parent, **options)
        pool = parent.pool_cls if isinstance(parent.pool_cls, str) else parent.pool_cls.__module__
        if pool in _GREEN_POOLS:
            raise ImproperlyConfigured(
                f"Milepost does not work in the pool {_GREEN_POOLS[pool]}, since gRPC needs real threads. "
                "Run this worker with --pool prefork, threads or solo, or without install()."
            )
        installation = installation_of(parent.app)
        if installation is not None:
            forks = pool == "celery.concurrency.prefork"
            installation.enter_worker(forks=forks, slots=1 if forks else parent.concurrency)
            if forks:  # its processes end without `atexit`
                enter, leave = installation.enter_pool_process, installation.leave_worker
                signals.worker_process_shutdown.connect(lambda **_: leave(), weak=False)
                signals.worker_process_init.connect(lambda **_: enter(), weak=False)
            if not any(isinstance(task, MilepostTask) for task in parent.app.tasks.values()):
                _logger.warning(
                    "No task of %r will have a job: none has the base class MilepostTask. Pass it as task_cls to "
                    "Celery(), or as base to @app.task.",
                    parent.app.main or "this application",
                )
        self._installation = installation

    def stop(self, parent: Any) -> None:
        """Wait until the remaining reports are delivered."""
        if self._installation is not None:
            self._installation.parent_reports.close()
