"""The interface between a pipeline and its engine, and the available engines."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from milepost.client._client import Client
from milepost.client._job_snapshot import JobSnapshot
from milepost.client._options import ConnectionOptions, SubmitOptions
from milepost.client._worker.handlers import Handler, RunMode

__all__ = ["ENGINES", "Engine", "EngineSettings", "PipelineFunction", "Submission", "engine_of"]

ENGINES: Final = ("worker", "celery", "hatchet")
"""Names of the engines, as in MILEPOST_ENGINE."""


@dataclass(frozen=True, slots=True)
class PipelineFunction:
    """The function of one kind.

    Attributes:
        function: Runs a job of the kind.
        run: Where the worker engine runs it; see `Worker.job`.
        options: Options of each submission.
    """

    function: Handler
    run: RunMode | None
    options: SubmitOptions


@dataclass(frozen=True, slots=True)
class Submission:
    """A job to submit.

    Attributes:
        kind: Its kind.
        input: Its input.
        options: Its options, with `job_id`, `request_id` and `labels`.
        start_deadline: Maximum seconds until its first attempt; None for no limit.
        repeatable: Whether the caller can submit it again, by a `job_id` or `request_id` of its own, so that a job
            which the engine does not take may stay QUEUED. It is cancelled otherwise: no other submission would have it
            run.
        parent_attempt: The attempt of its parent that submits it, since a later one submits it again if it waits; 0 for
            a job that no function submits.
    """

    kind: str
    input: Mapping[str, Any] | None
    options: SubmitOptions
    start_deadline: float | None = None
    repeatable: bool = False
    parent_attempt: int = 0


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """The settings that an engine is made from.

    Attributes:
        functions: The functions by kind; more may be registered until the engine runs.
        address: The server; None for the default.
        connection: Options of the connection to it.
        concurrency: Maximum number of jobs of each kind that a process runs at once.
    """

    functions: Mapping[str, PipelineFunction]
    address: str | None
    connection: ConnectionOptions
    concurrency: int

    def client(self) -> Client:
        """A client of the server, which the caller closes."""
        return Client(self.address, **self.connection)


class Engine(Protocol):
    """Runs the jobs of a pipeline."""

    async def submit(self, client: Client, submission: Submission) -> JobSnapshot:
        """Submit a job, and have the engine run it. Repeating a submission runs nothing twice.

        Raises:
            MilepostError: The server refused it, or was not reached.
        """

    async def enqueue(self, client: Client, job: JobSnapshot, parent_attempt: int) -> None:
        """Have the engine run a job that waits, as it is, which an earlier attempt of its parent has submitted.

        Args:
            client: A client of the server.
            job: The job, with its input.
            parent_attempt: As in `Submission`.
        """

    def main(self) -> None:
        """Run jobs in this process until SIGTERM or SIGINT."""


def engine_of(name: str, settings: EngineSettings) -> Engine:
    """The engine called `name`, one of `ENGINES`.

    Raises:
        ModuleNotFoundError: Its extra is not installed.
    """
    # Imported on use: each engine needs the packages of its extra.
    module = importlib.import_module(f"milepost.client.engines._{name}_engine")
    return cast("Engine", module.create(settings))
