"""The base class of tasks with jobs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

from celery.result import AsyncResult
from celery.utils import uuid as new_task_id

from milepost.client._arguments import is_async
from milepost.client._attach import AttachedJob
from milepost.client._worker.handlers import name_of, refuse_generator
from milepost.client.engines.celery.canvas_stamp import canvas_in_stamps
from milepost.client.engines.celery.claimed_run import ClaimedRun, job_of_this_task
from milepost.client.engines.celery.installation import installation_of
from milepost.client.engines.celery.publication import publish
from milepost.client.engines.celery.task_with_job import TaskOptions, TaskWithJob
from milepost.client.engines.celery.tracked_request import TRACKED_REQUEST

__all__ = ["MilepostTask"]

_Parameters = ParamSpec("_Parameters")
_Result_co = TypeVar("_Result_co", covariant=True)


class MilepostTask(TaskWithJob[_Parameters, _Result_co]):
    """Base class of tasks that have a job: ``Celery(…, task_cls=MilepostTask)`` or ``@app.task(base=MilepostTask)``.

    A task that knows nothing of Milepost still has a job with its beginning, retries, end and failure. One that does
    reports to `job`::

        @app.task(base=MilepostTask, bind=True, job_kind="convert", job_options={"stages": ["pages"]})
        def convert(self, path):
            pages = read(path)
            with self.job.stage("pages", total=len(pages)) as stage:
                for page in stage.track(pages):
                    render(page)
            self.job.result = {"pages": len(pages)}

    Without `install`, or while the server is away, tasks run as ever.

    Attributes:
        job_kind: Kind of its jobs. Default: the task's name.
        job_options: Options of its jobs, as of `Client.submit`: labels, owner, stages, workload, timeout and so on. One
            publication adds to them with ``task.apply_async(args, milepost={"labels": {"user": "7"}})``.
    """

    abstract = True
    Request = TRACKED_REQUEST

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse a function that Celery would call without running any of its code.

        Raises:
            ValueError: It is a generator function, or async.
        """
        super().__init_subclass__(**options)
        run = vars(cls).get("run")
        if run is not None:
            _check_runs(getattr(run, "__func__", run))

    @property
    def job(self) -> AttachedJob:
        """The job of the running task; without one, a job that nobody sees, so that the code runs all the same."""
        return job_of_this_task()

    def apply_async(
        self,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        task_id: str | None = None,
        producer: Any = None,
        link: Any = None,
        link_error: Any = None,
        shadow: str | None = None,
        **options: Any,
    ) -> AsyncResult[_Result_co]:
        """Publish the task as Celery does, and submit its job before.

        A task whose job cannot be made, since an option is wrong or `job_input` raises, is published without one, and
        the log says why.

        Args:
            args: As in Celery.
            kwargs: As in Celery.
            task_id: As in Celery; it is the id of the job as well.
            producer: As in Celery.
            link: As in Celery.
            link_error: As in Celery.
            shadow: As in Celery.
            options: As in Celery, and ``milepost``, the `TaskOptions` of this job.

        Raises:
            OperationalError: The broker is away; the job is cancelled.
        """
        task_id = task_id or new_task_id()
        job_options: TaskOptions = options.pop("milepost", TaskOptions())
        installation = installation_of(self.app)
        send = partial(super().apply_async, args, kwargs, task_id, producer, link, link_error, shadow)
        if installation is None or self.app.conf.task_always_eager:
            return send(**options)
        headers = options.pop("headers", None) or {}
        canvas = canvas_in_stamps(options)
        with publish(installation, self, task_id, args, kwargs, job_options, headers, canvas) as extended:
            return send(headers=extended, **options)

    def __call__(self, *args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result_co:
        """Run the task as its job; called directly, it runs as a plain function."""
        installation = installation_of(self.app)
        request = self.request
        if installation is None or request.called_directly or request.get("milepost_entered"):
            return super().__call__(*args, **kwargs)
        request.update(milepost_entered=True)
        result: _Result_co = ClaimedRun(installation, self).run(*args, **kwargs)
        return result


def _check_runs(function: Callable[..., object]) -> None:
    refuse_generator(function)
    if is_async(function):
        raise ValueError(
            f"{name_of(function)} is async, and Celery awaits no task, so that calling it runs nothing: make it a "
            "plain function, which may call asyncio.run."
        )
