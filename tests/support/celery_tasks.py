"""An application with Milepost's tasks, which `CeleryWorker` runs and tests publish to."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, Final, TypeAlias

from celery import Celery
from celery.exceptions import Ignore, Reject

from milepost.client.engines.celery import MilepostTask, install

__all__ = ["app", "studio"]

_Task: TypeAlias = MilepostTask[..., Any]


# Seconds that a busy machine may take for an answer, after which a task goes on without its job.
_TIMEOUT: Final = 20.0


def studio(
    broker: str, results: str, milepost: str, *, timeout: float = _TIMEOUT, **configuration: Any
) -> Celery[Any]:
    """The application, on these servers."""
    application = Celery(
        "studio", broker=broker, backend=results, task_cls=MilepostTask, set_as_current=False
    )
    application.conf.update(
        broker_connection_retry_on_startup=True, worker_prefetch_multiplier=1, **configuration
    )
    install(application, milepost, timeout=timeout, redelivery_delay=1.0)
    _define(application)
    return application


def _define(application: Celery[Any]) -> None:
    @application.task(
        shared=False,
        name="convert",
        base=MilepostTask,
        bind=True,
        job_kind="print.convert",
        job_options={"stages": ["pages"], "labels": {"team": "print"}},
    )
    def convert(self: _Task, pages: int) -> int:
        """Report to the job."""
        with self.job.stage("pages", total=pages, unit="pages") as stage:
            for _ in stage.track(range(pages)):
                time.sleep(0.001)
        self.job.result = {"pages": pages}
        return pages

    @application.task(shared=False, name="add")
    def add(a: int, b: int) -> int:
        """Know nothing of Milepost."""
        return a + b

    @application.task(shared=False, name="total")
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    @application.task(shared=False, name="fail")
    def fail(text: str) -> None:
        raise ValueError(text)

    @application.task(
        shared=False,
        name="flaky",
        base=MilepostTask,
        bind=True,
        autoretry_for=(OSError,),
        retry_kwargs={"max_retries": 2, "countdown": 0},
    )
    def flaky(self: _Task, failures: int) -> int:
        """Fail so many times; Celery retries it twice."""
        self.job.plan([f"try-{self.request.retries + 1}"])
        if self.request.retries < failures:
            raise OSError(f"failure {self.request.retries + 1}")
        return self.request.retries

    @application.task(
        shared=False, name="hold", base=MilepostTask, bind=True, job_options={"stages": ["wait"]}
    )
    def hold(self: _Task, started: str, released: str) -> str:
        return _hold(self, started, released)

    @application.task(
        shared=False,
        name="hold-late",
        base=MilepostTask,
        bind=True,
        acks_late=True,
        reject_on_worker_lost=True,
        job_options={"stages": ["wait"]},
    )
    def hold_late(self: _Task, started: str, released: str) -> str:
        return _hold(self, started, released)

    @application.task(shared=False, name="ignore")
    def ignore() -> None:
        raise Ignore("nothing to do")

    @application.task(shared=False, name="reject", acks_late=True)
    def reject(rejected: str, requeue: bool) -> str:
        """Reject the first delivery."""
        if Path(rejected).exists():
            return "accepted"
        Path(rejected).touch()
        raise Reject("not now", requeue=requeue)

    @application.task(shared=False, name="replace", base=MilepostTask, bind=True)
    def replace(self: _Task, a: int, b: int) -> None:
        raise self.replace(add.s(a, b))

    @application.task(shared=False, name="sleep")
    def sleep(started: str, cleaned: str, seconds: float) -> str:
        """Know nothing of Milepost, and clean up."""
        Path(started).write_text(f"{os.getpid()}\n")
        try:
            time.sleep(seconds)
        finally:
            Path(cleaned).write_text("")
        return "slept"


def _hold(task: _Task, started: str, released: str) -> str:
    """Write a line with its process id to one file, and wait for another one; it checks for a cancellation."""
    with task.job.stage("wait"):
        with Path(started).open("a") as file:
            file.write(f"{os.getpid()}\n")
        while not Path(released).exists():
            task.job.raise_if_cancelled()
            time.sleep(0.01)
    return "released"


if "CELERY_BROKER" in os.environ:
    app = studio(
        os.environ["CELERY_BROKER"],
        os.environ["CELERY_RESULTS"],
        os.environ["MILEPOST_ADDRESS"],
        timeout=float(os.environ.get("CELERY_MILEPOST_TIMEOUT", _TIMEOUT)),
        **json.loads(os.environ.get("CELERY_CONFIGURATION", "{}")),
    )
