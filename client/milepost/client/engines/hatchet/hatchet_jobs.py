"""Jobs of Hatchet tasks: the decorator, tasks of handlers, and jobs that are submitted where a run is triggered."""

from __future__ import annotations

import asyncio
import inspect
import logging
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar, Unpack, cast

from hatchet_sdk import Context, Hatchet
from hatchet_sdk.runnables.workflow import Standalone
from hatchet_sdk.utils.timedelta_to_expression import expr_to_timedelta

from milepost.client._arguments import is_async
from milepost.client._options import ConnectionOptions, describe_options
from milepost.client._transport.event_loop_thread import EventLoopThread
from milepost.client._transport.target import Target
from milepost.client._worker.handlers import Handler, refuse_generator
from milepost.client._worker.job_context import JobContext
from milepost.client.engines.hatchet.job_options import HatchetJobOptions, HatchetTaskOptions
from milepost.client.engines.hatchet.jobs_of_runs import JobsOfRuns, submission
from milepost.client.engines.hatchet.reported_task import ReportedTask
from milepost.client.engines.hatchet.task_end import as_mapping
from milepost.client.engines.hatchet.triggered_job import TriggeredJob
from milepost.client.errors import MilepostError
from milepost.v1 import SubmitJobRequest

__all__ = ["HatchetJobs", "HatchetTask"]

_logger = logging.getLogger("milepost.client")

HatchetTask: TypeAlias = Standalone[dict[str, Any], dict[str, Any]]
"""A task of `HatchetJobs.task`."""

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Time beyond a task's schedule_timeout after which nobody starts a run any more.
_START_MARGIN: Final = timedelta(minutes=1)
_NOT_IN_KINDS: Final = re.compile(r"[^a-z0-9._-]")


class HatchetJobs:
    """Makes each run of a decorated task a job of Milepost.

    Make one for a process, beside the `Hatchet` object; the first task connects. The connection and the leases are in a
    thread of their own, so that a blocked event loop of the worker loses no job. Milepost never fails a task, and never
    delays it without a bound: a task whose job cannot be had runs without one, and a warning says so.
    """

    @describe_options
    def __init__(
        self,
        address: str | None = None,
        *,
        timeout: float = 5.0,
        flush_timeout: float = 2.0,
        **options: Unpack[ConnectionOptions],
    ) -> None:
        """Configure the connection.

        Args:
            address: Server address as ``host:port``. Default: MILEPOST_ADDRESS, else ``127.0.0.1:7070``.
            timeout: Seconds for each call, and for the claim of a job. A server that accepts connections and does not
                answer delays a task by at most two of these and 5 s; one that refuses them, by nothing.
            flush_timeout: Seconds to wait, when a task ends, for the server to acknowledge the remaining reports.
            options: See `ConnectionOptions`.

        Raises:
            InsecureToken: The token would travel unencrypted beyond this machine.
            ValueError: The text cannot be a token, or there is a certificate without its key.
        """
        self._jobs = JobsOfRuns(Target.of(address, **options), timeout, flush_timeout)
        self._thread = EventLoopThread()

    def job(
        self,
        kind: str | None = None,
        *,
        show_input: bool = False,
        show_result: bool = True,
        **options: Unpack[HatchetJobOptions],
    ) -> Callable[[_Function], _Function]:
        """Decorate the function of a task, below Hatchet's decorator.

        A parameter called ``job`` gets the job's `AttachedJob`; without it, the function is as Hatchet knows it. Bars
        and log records of the SDK report to the job in any case::

            @hatchet.task(retries=3)
            @milepost.job(labels={"team": "a"})
            async def convert(input: Order, context: Context, job: JobContext) -> dict[str, int]:
                with job.stage("pages", total=3) as stage:
                    ...

        Args:
            kind: Kind of the jobs. Default: the name of the function, in lower case.
            show_input: Whether the job shows the input of the run. By default it does not, since the arguments of a
                task may be secrets that the readers of jobs should not see.
            show_result: Whether what the function returns becomes the result of the job, unless the function has set
                one.
            options: See `HatchetJobOptions`.

        Raises:
            TypeError: It is above Hatchet's decorator.
            ValueError: The function is a generator function.
        """

        def decorate(function: _Function) -> _Function:
            if not inspect.isroutine(function):
                name = type(function).__name__
                raise TypeError(
                    f"@milepost.job() decorates the function, not the {name}: put it below @hatchet.task()."
                )
            refuse_generator(function)
            name = kind or kind_of(function.__name__)
            return self._decorated(
                function, name, options, shows_input=show_input, shows_result=show_result, needs_job=False
            )

        return decorate

    def task(
        self,
        hatchet: Hatchet,
        kind: str,
        handler: Handler,
        job_options: HatchetJobOptions | None = None,
        **task_options: Unpack[HatchetTaskOptions],
    ) -> HatchetTask:
        """Make a task of a handler as `Worker.job` takes it: a function of the job, which returns its result.

        The input of the run is the input of the job, as with a worker. A run whose job is with another run, or was
        ended by one, does nothing and returns nothing.

        Args:
            hatchet: The object to register the task with.
            kind: Kind of the jobs, and name of the task.
            handler: An async function, or a plain one, which runs in a thread.
            job_options: Options of the jobs.
            task_options: See `HatchetTaskOptions`.

        Raises:
            ValueError: The handler is a generator function.
        """
        refuse_generator(handler)
        register = hatchet.task(name=kind, input_validator=dict[str, Any], **task_options)

        def decorate(run: _Function) -> _Function:
            return self._decorated(
                run, kind, job_options or {}, shows_input=True, shows_result=True, needs_job=True
            )

        if is_async(handler):
            asynchronous = cast("Callable[[JobContext], Awaitable[Mapping[str, Any] | None]]", handler)

            async def run(values: dict[str, Any], context: Context, job: JobContext) -> dict[str, Any]:
                return dict(await asynchronous(job) or {})

            return register(decorate(run))
        plain = cast("Callable[[JobContext], Mapping[str, Any] | None]", handler)

        def run_plain(values: dict[str, Any], context: Context, job: JobContext) -> dict[str, Any]:
            return dict(plain(job) or {})

        return register(decorate(run_plain))

    def submit(
        self,
        task: Standalone[Any, Any],
        input_values: object | None = None,
        *,
        parent_job_id: str = "",
        start_deadline: float | timedelta | None = None,
        **options: Unpack[HatchetJobOptions],
    ) -> TriggeredJob:
        """Submit the job of a run that is about to be triggered, so that it is seen while it waits for a worker.

        Trigger the run with its metadata, in whatever way. Without this the job begins with the first attempt::

            job = milepost.submit(convert, owner="ops")
            convert.run(order, wait_for_result=False, additional_metadata=job.metadata)

        If the server is unreachable, a warning says so, and the first attempt submits the job under this id.

        Args:
            task: The task; not a workflow of several tasks, whose jobs begin with them.
            input_values: Input that the job shows: a mapping, pydantic model or dataclass; None to show none.
            parent_job_id: The parent job. Cancelling the parent cancels this job.
            start_deadline: Seconds from now until the job fails if no attempt has started. Default: a minute more than
                the task's ``schedule_timeout``, after which Hatchet does not start it any more.
            options: See `HatchetJobOptions`.

        Raises:
            TypeError: An option does not exist, or it is a batch task, whose runs have no jobs.
        """
        request = self._request(task, input_values, parent_job_id, start_deadline, options)
        try:
            self._thread.run(self._jobs.submit(request))
        except (MilepostError, RuntimeError) as error:
            _log_unsubmitted(request, error)
        return TriggeredJob(request.job_id)

    async def aio_submit(
        self,
        task: Standalone[Any, Any],
        input_values: object | None = None,
        *,
        parent_job_id: str = "",
        start_deadline: float | timedelta | None = None,
        **options: Unpack[HatchetJobOptions],
    ) -> TriggeredJob:
        """See `submit`."""
        request = self._request(task, input_values, parent_job_id, start_deadline, options)
        try:
            await asyncio.wrap_future(self._thread.start(self._jobs.submit(request)))
        except (MilepostError, RuntimeError) as error:
            _log_unsubmitted(request, error)
        return TriggeredJob(request.job_id)

    def close(self) -> None:
        """Close the connection. A worker need not: its process ends."""
        try:
            self._thread.run(self._jobs.close())
        except RuntimeError:  # closed before
            return
        self._thread.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _decorated(
        self,
        function: _Function,
        kind: str,
        options: HatchetJobOptions,
        *,
        shows_input: bool,
        shows_result: bool,
        needs_job: bool,
    ) -> _Function:
        task = ReportedTask(
            self._jobs,
            self._thread,
            function,
            kind,
            shows_input=shows_input,
            shows_result=shows_result,
            needs_job=needs_job,
            options=options,
        )
        return cast("_Function", task.wrapper())

    def _request(
        self,
        task: Standalone[Any, Any],
        input_values: object | None,
        parent_job_id: str,
        start_deadline: float | timedelta | None,
        options: HatchetJobOptions,
    ) -> SubmitJobRequest:
        (only,) = task.tasks
        if getattr(only, "batch", None) is not None:
            raise TypeError(
                f"{only.name} is a batch task: one call works on many runs, so they have no jobs. Trigger it without."
            )
        if start_deadline is None:
            schedule_timeout = only.schedule_timeout
            if isinstance(schedule_timeout, str):
                schedule_timeout = expr_to_timedelta(schedule_timeout)
            start_deadline = schedule_timeout + _START_MARGIN
        reported = ReportedTask.of(only._fn)
        return submission(
            reported.kind if reported is not None else kind_of(only.name),
            str(uuid.uuid4()),
            only.retries + 1,
            as_mapping(input_values),
            HatchetJobOptions(**{**(reported.options if reported is not None else {}), **options}),
            parent_job_id=parent_job_id,
            start_deadline=start_deadline,
        )


def kind_of(name: str) -> str:
    """The kind of the jobs of a function or task."""
    return _NOT_IN_KINDS.sub("-", name.lower()).lstrip("._-")[:64] or "task"


def _log_unsubmitted(request: SubmitJobRequest, error: Exception) -> None:
    _logger.warning("job %s is submitted with its first attempt: %s", request.job_id, error)
