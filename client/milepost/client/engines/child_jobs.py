"""Child jobs: submitted by the function of their parent, which waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from milepost.client._client import Client
from milepost.client._job_snapshot import JobSnapshot
from milepost.client._options import SubmitOptions
from milepost.client._transport.repeated_call import until_answered
from milepost.client._worker.job_context import JobContext
from milepost.client.engines.external_jobs import is_waiting
from milepost.client.engines.labels import CHILD, SHADOW_OF
from milepost.client.errors import MilepostError
from milepost.contract.job_states import has_ended
from milepost.contract.limits import JOB_ID
from milepost.contract.name_rules import name_rule
from milepost.v1 import JobState

__all__ = ["CHILD_STOP_TIMEOUT", "ChildJob", "run_child"]

CHILD_STOP_TIMEOUT: Final = 10.0
"""Maximum seconds that a parent that is to stop waits for its child, so that it can clean up what the child uses."""

Submit: TypeAlias = Callable[[Client, SubmitOptions], Awaitable[JobSnapshot]]
Enqueue: TypeAlias = Callable[[Client, JobSnapshot], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ChildJob:
    """A child to submit.

    Attributes:
        parent: Its parent.
        kind: Its kind.
        input: Its input.
        name: Its name among the children of its parent.
        options: Options of its submission.
    """

    parent: JobContext
    kind: str
    input: Mapping[str, Any] | None
    name: str
    options: SubmitOptions

    def submission(self, earlier: JobSnapshot | None) -> SubmitOptions:
        """The options of its submission; with a job_id of its own where it replaces that of an `earlier` attempt.

        Raises:
            ValueError: The name makes no job_id.
        """
        options: SubmitOptions = {**self.options}
        job_id = f"{self.parent.id}-{self.name}"
        if earlier is not None:
            job_id = f"{job_id}-{self.parent.attempt}"
        options["job_id"] = options["request_id"] = job_id
        if not JOB_ID.fullmatch(job_id):
            raise ValueError(
                f"A child cannot be called {self.name!r}, as its id would be {job_id!r}: {name_rule(JOB_ID)}."
            )
        options["parent_job_id"] = self.parent.id
        labels = {**(options.get("labels") or {}), CHILD: self.name}
        if primary := self.parent.labels.get(SHADOW_OF):
            labels[SHADOW_OF] = f"{primary}-{self.name}"
        options["labels"] = labels
        return options


async def run_child(client: Client, child: ChildJob, submit: Submit, enqueue: Enqueue) -> dict[str, Any]:
    """Submit the child, unless an earlier attempt of its parent has one that is still good; return its result.

    Raises:
        JobError: The child did not succeed.
        ValueError: Its name makes no job_id.
        MilepostError: The server refused the child, or was not reached.
    """
    earlier = await _of_earlier_attempt(client, child) if child.parent.attempt > 1 else None
    if earlier is not None and _is_good(earlier):
        job_id = earlier.job_id
        if is_waiting(earlier):  # the attempt may have ended before the engine had it
            await enqueue(client, await client.get(job_id))
    else:
        job_id = (await submit(client, child.submission(earlier))).job_id
    try:
        return await client.result(job_id)
    except asyncio.CancelledError:
        await asyncio.shield(_stop(client, child.parent, job_id))
        raise


async def _of_earlier_attempt(client: Client, child: ChildJob) -> JobSnapshot | None:
    """The newest child of this name."""
    async for job in client.list(parent_job_id=child.parent.id, labels={CHILD: child.name}):
        return job
    return None


def _is_good(job: JobSnapshot) -> bool:
    return job.state == JobState.JOB_STATE_SUCCEEDED or not has_ended(job)


async def _stop(client: Client, parent: JobContext, job_id: str) -> None:
    """Wait until the child has stopped, if it is to stop; not if its parent goes on in another attempt."""
    try:
        async with asyncio.timeout(CHILD_STOP_TIMEOUT):
            if not parent.cancelled:
                reason = "The job that it belongs to does not wait for it any more."
                await until_answered(lambda: client.cancel(job_id, reason=reason))
            elif (await until_answered(lambda: client.get(parent.id))).state != JobState.JOB_STATE_CANCELLING:
                return
            async for _ in client.follow(job_id):
                pass
    except (MilepostError, TimeoutError, RuntimeError):
        return  # the server ends the child, at the latest when its grace period is over
