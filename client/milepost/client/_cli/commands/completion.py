"""Shell completion of values: jobs and kinds from the server, modules from the working directory."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

__all__ = ["context_names", "ended_job_ids", "job_ids", "kinds", "modules", "unfinished_job_ids"]

_Complete = Callable[[click.Context, click.Parameter, str], list[str]]

# Seconds to wait for the server. Starting Python already takes most of what a person accepts after the Tab key.
_CALL_TIMEOUT: Final = 0.1
# Maximum number of jobs to offer, newest first.
_JOB_LIMIT: Final = 200
_UNFINISHED: Final = ("QUEUED", "RUNNING", "CANCELLING")
_ENDED: Final = ("SUCCEEDED", "FAILED", "CANCELLED", "LOST")
_WORKER: Final = re.compile(r"^(\w+)(?:\s*:[^=]+)?\s*=\s*(?:\w+\.)*Worker\(", re.MULTILINE)
"""A module's assignment of a Worker. Modules are searched as text, not imported."""


def _jobs(context: click.Context, states: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Ids and kinds of the newest jobs; empty if the server does not answer within the timeout."""
    from milepost.client._cli.commands.server_settings import server_settings
    from milepost.client._transport.fork_safety import grpc
    from milepost.client._transport.target import Target
    from milepost.client._transport.token_source import bearer, checked_token
    from milepost.client.errors import MilepostError
    from milepost.v1.job_pb2 import JobState
    from milepost.v1.job_service_pb2 import ListJobsRequest, ListJobsResponse

    try:
        settings = dict(server_settings(context, context.params))
        target = Target.of(settings.pop("address", None), **settings)
        target.check_token()
        token = checked_token(target.token if isinstance(target.token, str) else target.token())
        channel = (
            grpc.secure_channel(target.address, target.tls_credentials())
            if target.tls
            else grpc.insecure_channel(target.address)
        )
    except (click.ClickException, MilepostError, OSError, ValueError):
        return []
    request = ListJobsRequest(page_size=_JOB_LIMIT)
    request.filter.states.extend(JobState.Value(f"JOB_STATE_{state}") for state in states)
    with channel:
        call = channel.unary_unary(
            "/milepost.v1.JobService/ListJobs",
            ListJobsRequest.SerializeToString,
            ListJobsResponse.FromString,
        )
        try:
            response = call(
                request,
                timeout=_CALL_TIMEOUT,
                metadata=bearer(token),
            )
        except (grpc.RpcError, OSError, ValueError):
            return []
    return [(job.job_id, job.kind) for job in response.jobs]


def _ids(*states: str) -> _Complete:
    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        return [job_id for job_id, _ in _jobs(context, states) if job_id.startswith(incomplete)]

    return complete


job_ids: Final = _ids()
unfinished_job_ids: Final = _ids(*_UNFINISHED)
ended_job_ids: Final = _ids(*_ENDED)


def kinds(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Kinds of the newest jobs."""
    return sorted({kind for _, kind in _jobs(context) if kind.startswith(incomplete)})


def context_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of the contexts in the credentials file."""
    from milepost.client._cli.commands.context_file import ContextFile

    try:
        names = sorted(ContextFile.load().contexts)
    except click.ClickException:
        return []
    return [name for name in names if name.startswith(incomplete)]


def modules(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """``MODULE:NAME`` of the workers in the working directory, and packages that may contain more."""
    *packages, _ = incomplete.partition(":")[0].split(".")
    directory = Path(*packages)
    found = []
    for path in sorted(directory.iterdir()) if directory.is_dir() else []:
        module = ".".join((*packages, path.stem))
        source = path / "__init__.py" if path.is_dir() else path
        if path.is_dir() and path.name.isidentifier() and any(path.glob("*.py")):
            found.append(f"{module}.")
        if source.suffix == ".py" and source.is_file():
            found += [f"{module}:{name}" for name in _WORKER.findall(source.read_text(errors="replace"))]
    return [each for each in found if each.startswith(incomplete)]
