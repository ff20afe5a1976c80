"""Pipelines: functions by kind of job, written once, and run by the engine that the configuration names."""

from __future__ import annotations

import asyncio
import logging
import os
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, Unpack

from milepost.client._arguments import to_whole
from milepost.client._client import Client
from milepost.client._job_calls import submit_request
from milepost.client._job_snapshot import JobSnapshot
from milepost.client._options import ConnectionOptions, SubmitOptions, describe_options
from milepost.client._transport.target import Target
from milepost.client._worker.handlers import Handler, RunMode, run_mode_of
from milepost.client._worker.job_context import JobContext
from milepost.client.engines.blocking import run_in_sdk_thread
from milepost.client.engines.child_jobs import ChildJob, run_child
from milepost.client.engines.engine_port import (
    ENGINES,
    Engine,
    EngineSettings,
    PipelineFunction,
    Submission,
    engine_of,
)
from milepost.client.engines.labels import ENGINE, SHADOW_ID, SHADOW_OF
from milepost.contract.limits import CONCURRENCY, KIND, PRIORITY
from milepost.contract.name_rules import name_rule
from milepost.v1 import Dispatch

__all__ = ["SHADOW_START_DEADLINE", "SHADOW_TIMEOUT", "Pipeline"]

_logger = logging.getLogger("milepost.client")

SHADOW_TIMEOUT: Final = 2.0
"""Maximum seconds that the submission of a shadow adds to the one of its primary."""
SHADOW_START_DEADLINE: Final = 3600.0
"""Seconds until a shadow that no engine takes fails, so that the shadows of an engine that is down do not pile up."""

_Function = TypeVar("_Function", bound=Handler)


class Pipeline:
    """Functions by kind of job, which see one `JobContext` whichever engine runs them.

    MILEPOST_ENGINE names the engine: ``worker``, the default, ``celery`` or ``hatchet``::

        pipeline = Pipeline()

        @pipeline.job("album")
        async def album(job):
            scans = [pipeline.run_child(job, "scan", {"page": page}, name=f"page-{page}") for page in (1, 2)]
            return {"pages": [scan["text"] for scan in await asyncio.gather(*scans)]}

        @pipeline.job("scan")
        def scan(job):
            return {"text": recognise(job.input["page"])}

        if __name__ == "__main__":
            pipeline.main()

    With MILEPOST_SHADOW_ENGINE each submission starts a second job with the same input, its *shadow*, under that
    engine, so that ``milepost diff`` can compare the two before a migration. The label ``milepost.dev/engine`` has the
    engine of a job, and ``milepost.dev/shadow-of`` of a shadow the job_id of its primary. A shadow cannot fail the
    submission of its primary, and delays it by `SHADOW_TIMEOUT` at most. A function leaves out what must happen only
    once, such as a webhook, where `is_shadow` is true.
    """

    @describe_options
    def __init__(
        self,
        address: str | None = None,
        *,
        engine: str | None = None,
        shadow_engine: str | None = None,
        concurrency: int = 4,
        **options: Unpack[ConnectionOptions],
    ) -> None:
        """Configure the pipeline, and connect nothing.

        Args:
            address: The server, as for `Client`.
            engine: Runs the jobs: ``"worker"``, ``"celery"`` or ``"hatchet"``; default: MILEPOST_ENGINE, else the
                worker.
            shadow_engine: Runs a shadow of each job; default: MILEPOST_SHADOW_ENGINE, else there are none.
            concurrency: Maximum number of jobs of each kind that a process runs at once, 1 to 10,000.
            options: See `ConnectionOptions`.

        Raises:
            TypeError: An argument has the wrong type, or there is no such option.
            ValueError: There is no such engine, or an argument is out of its bounds.
        """
        self.engine: str = _engine_name(engine, "engine", "MILEPOST_ENGINE") or "worker"
        self.shadow_engine: str | None = _engine_name(
            shadow_engine, "shadow_engine", "MILEPOST_SHADOW_ENGINE"
        )
        # Wrong ones raise here, and not in the first submission; the environment may be another one by then.
        Target.of(address, {}, **options)
        concurrency = to_whole(concurrency, "concurrency")
        if not 1 <= concurrency <= CONCURRENCY:
            raise ValueError(f"concurrency is 1 to {CONCURRENCY}, not {concurrency}.")
        self._functions: dict[str, PipelineFunction] = {}
        self._settings = EngineSettings(self._functions, address, options, concurrency)
        self._engines: dict[str, Engine] = {}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of job that have a function."""
        return tuple(self._functions)

    def job(
        self, kind: str, run: RunMode | None = None, **options: Unpack[SubmitOptions]
    ) -> Callable[[_Function], _Function]:
        """Register the decorated function, async or plain, for a kind of job.

        Args:
            kind: The kind of the jobs.
            run: Where the worker engine runs it; see `Worker.job`. Celery and Hatchet decide that themselves.
            options: Options of each submission, such as `stages` and `retry_policy`; those of a submission go first.

        Raises:
            TypeError: The kind is no text, there is no such option, or its value has the wrong type.
            ValueError: The kind is invalid or has a function already, or the function cannot run in that mode.
        """
        submit_request(
            kind, None, Dispatch.DISPATCH_QUEUE, None, **options
        )  # wrong options raise here, and not later
        if not KIND.fullmatch(kind):
            raise ValueError(f"A kind of job cannot be called {kind!r}: {name_rule(KIND)}.")
        if kind in self._functions:
            raise ValueError(f"There is a function for {kind!r} already.")

        def register(function: _Function) -> _Function:
            run_mode_of(function, run)
            self._functions[kind] = PipelineFunction(function, run, options)
            return function

        return register

    def client(self) -> Client:
        """A client of the pipeline's server, which the caller closes."""
        return self._settings.client()

    async def submit(
        self,
        kind: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - the contract's own word
        **options: Unpack[SubmitOptions],
    ) -> JobSnapshot:
        """Submit a job to the pipeline's engine, and its shadow, if any, to the other one.

        If the engine does not take the job, the job is cancelled, also where this was cancelled meanwhile; unless the
        caller can submit it again, with its `job_id` or `request_id`, or an engine has started it: the error of a
        broker does not prove that it has no message.

        Args:
            kind: The kind of the job.
            input: Its input: JSON values, at most 1 MiB.
            options: Options of this submission.

        Raises:
            ValueError: The kind has no function here.
            MilepostError: As for `Client.submit`.
            Exception: The engine's own error, such as `kombu.exceptions.OperationalError` or `grpc.RpcError`.
        """
        async with self.client() as client:
            repeatable = bool(options.get("job_id") or options.get("request_id"))
            job = await self._submit(client, self.engine, kind, input, options, repeatable=repeatable)
            if self.shadow_engine is not None:
                await self._submit_shadow(
                    client, self.shadow_engine, job, input, options, repeatable=repeatable
                )
        return job

    async def run_child(
        self,
        job: JobContext,
        kind: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - the contract's own word
        *,
        name: str,
        **options: Unpack[SubmitOptions],
    ) -> dict[str, Any]:
        """Run a child of `job` under the same engine, and return its result.

        The child's job_id is that of `job` and `name`, so that a retry of `job` finds the child of an earlier attempt:
        it takes the result of one that succeeded, waits for one that runs, enqueues one again, with the input that it
        has, that has not started, as its engine may not have it, and replaces one that failed. If `job` is cancelled,
        the server cancels the child, and this waits until it has stopped; if only the caller is cancelled, as by a task
        group in which another child failed, this cancels the child.

        Args:
            job: The parent.
            kind: The kind of the child.
            input: Its input.
            name: Its name among the children of `job`: letters, digits, ``_`` and ``-``.
            options: Options of the submission.

        Raises:
            JobError: The child did not succeed: `JobFailed`, `JobCancelled` or `JobLost`.
            ValueError: The kind has no function here, or the name is invalid or too long.
            MilepostError: As for `Client.submit`.
        """
        child = ChildJob(job, kind, input, name, options)

        async def submit(client: Client, options: SubmitOptions) -> JobSnapshot:
            engine = job.labels.get(ENGINE, self.engine)
            return await self._submit(client, engine, kind, input, options, parent_attempt=job.attempt)

        async def enqueue(client: Client, earlier: JobSnapshot) -> None:
            engine = await self._engine_for(earlier.kind, earlier.labels.get(ENGINE, self.engine))
            await engine.enqueue(client, earlier, job.attempt)

        async with self.client() as client:
            return await run_child(client, child, submit, enqueue)

    def run_child_blocking(
        self,
        job: JobContext,
        kind: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - the contract's own word
        *,
        name: str,
        **options: Unpack[SubmitOptions],
    ) -> dict[str, Any]:
        """The same as `run_child`, for plain functions.

        Raises:
            Cancelled: `job` is to stop.
            RuntimeError: This thread runs an event loop, where `run_child` belongs.
        """
        return run_in_sdk_thread(job, self.run_child(job, kind, input, name=name, **options))

    def main(self) -> None:
        """Run jobs in this process, under the pipeline's engine, until SIGTERM or SIGINT.

        Raises:
            RuntimeError: The pipeline has no functions.
        """
        if not self._functions:
            raise RuntimeError("The pipeline has no functions: decorate some with @pipeline.job(kind).")
        self.running_engine().main()

    def running_engine(self, name: str | None = None) -> Engine:
        """The engine called `name`, to run in this process; the pipeline's own for None.

        Raises:
            ValueError: There is no such engine.
            ModuleNotFoundError: Its extra is not installed.
        """
        name = _known(name or self.engine, "engine")
        if name not in self._engines:
            self._engines[name] = engine_of(name, self._settings)
        return self._engines[name]

    # Private.

    async def _submit(
        self,
        client: Client,
        engine: str,
        kind: str,
        input_values: Mapping[str, Any] | None,
        options: SubmitOptions,
        *,
        start_deadline: float | None = None,
        repeatable: bool = False,
        parent_attempt: int = 0,
    ) -> JobSnapshot:
        chosen = await self._engine_for(kind, engine)
        complete: SubmitOptions = {**self._functions[kind].options, **options}
        if not complete.get("request_id"):
            complete["job_id"] = complete["request_id"] = complete.get("job_id") or str(uuid.uuid4())
        complete["labels"] = {**(complete.get("labels") or {}), ENGINE: engine}
        return await chosen.submit(
            client, Submission(kind, input_values, complete, start_deadline, repeatable, parent_attempt)
        )

    async def _engine_for(self, kind: str, engine: str) -> Engine:
        if kind not in self._functions:
            raise ValueError(f"The pipeline has no function for {kind!r}, only for {', '.join(self.kinds)}.")
        if engine not in self._engines:
            # In a thread: the packages of an engine take a while to import.
            await asyncio.to_thread(self.running_engine, engine)
        return self._engines[engine]

    async def _submit_shadow(
        self,
        client: Client,
        engine: str,
        primary: JobSnapshot,
        input_values: Mapping[str, Any] | None,
        options: SubmitOptions,
        *,
        repeatable: bool,
    ) -> None:
        """Submit the shadow. Log a failure, or after a timeout that the outcome is unknown: it may still start."""
        shadow: SubmitOptions = {**self._functions[primary.kind].options, **options}
        shadow["job_id"] = shadow["request_id"] = f"{primary.job_id}{SHADOW_ID}"
        shadow["labels"] = {**(shadow.get("labels") or {}), SHADOW_OF: primary.job_id}
        shadow["priority"] = -PRIORITY
        if key := shadow.get("concurrency_key"):
            shadow["concurrency_key"] = f"{key}/shadow"
        submitting = asyncio.create_task(
            self._submit(
                client,
                engine,
                primary.kind,
                input_values,
                shadow,
                start_deadline=SHADOW_START_DEADLINE,
                repeatable=repeatable,
            )
        )
        try:
            await asyncio.wait((submitting,), timeout=SHADOW_TIMEOUT)
        finally:
            submitting.cancel()
        if not submitting.done():
            _logger.warning(
                "job %s: no answer within %g s to the submission of its shadow %s under %s; it may still start",
                primary.job_id,
                SHADOW_TIMEOUT,
                shadow["job_id"],
                engine,
            )
        elif (error := submitting.exception()) is not None:
            _logger.warning("job %s has no shadow under %s: %s", primary.job_id, engine, error)


def _engine_name(given: str | None, argument: str, variable: str) -> str | None:
    """The engine that the argument names, or else the variable of the environment; None if neither does."""
    name, setting = (given, argument) if given else (os.environ.get(variable), variable)
    return _known(name, setting) if name else None


def _known(name: str, setting: str) -> str:
    if name not in ENGINES:
        raise ValueError(f"{setting} cannot be {name!r}: use {', '.join(ENGINES)}.")
    return name
