"""Read runs with their events and children from a server, to compare them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import click

from milepost.client import Client
from milepost.client._cli.rendering import text
from milepost.client._diff.groups import Group
from milepost.client._diff.run import Run
from milepost.contract.job_states import FINAL, has_ended
from milepost.v1 import Event, Job

__all__ = ["BYTE_LIMIT", "DEPTH_LIMIT", "RunReader"]

BYTE_LIMIT: Final = 256 * 1024 * 1024
"""Bytes of all jobs and events that are compared at a time, encoded; decoded they take several times as much."""
DEPTH_LIMIT: Final = 50
"""Levels of children below children."""
_SCAN_LIMIT: Final = 10_000
"""Jobs of a kind that are searched for the values of a label, newest first."""
_PAGE_SIZE: Final = 100
_VALUES_SHOWN: Final = 10
"""Values of a label that an error names, the newest runs', beside those that were asked for."""

_Message = TypeVar("_Message", Job, Event)


class RunReader:
    """Reads runs, up to `BYTE_LIMIT` in all.

    Its methods raise click.UsageError if a job has not ended, if there is more than that to read, or if there is
    nothing to compare.
    """

    def __init__(self, client: Client, *, events: bool, children: bool) -> None:
        """Prepare to read.

        Args:
            client: Reads.
            events: Whether custom events are read.
            children: Whether children are read.
        """
        self._client = client
        self._events = events
        self._children = children
        self._bytes_left = BYTE_LIMIT

    async def run(self, job_id: str) -> Run:
        """The run of a job."""
        return await self._run(self._counted((await self._client.get(job_id)).proto))

    async def shadow_of(self, job_id: str, label: str) -> Run:
        """The run of the newest job whose ``label`` is ``job_id``."""
        async for shadow in self._client.list(labels={label: job_id}, page_size=1):
            return await self._run(self._counted(shadow.proto))
        raise click.UsageError(
            f"Job {text.one_line(job_id)} has no shadow: no job has the label {label}={text.one_line(job_id)}. "
            "Give two jobs to compare."
        )

    async def groups(self, kind: str, label: str, values: Sequence[str], last: int) -> tuple[Group, Group]:
        """The last runs of a kind that have ended, ``last`` for each of two values of a label.

        Without ``values`` these are the values of the newest runs, of which the newest one's is that of B.
        """
        found: dict[str, list[Job]] = {value: [] for value in values}
        others: dict[str, None] = {}
        scanned = 0
        async for job in self._client.list(kinds=[kind], states=FINAL, page_size=_PAGE_SIZE):
            value = job.labels.get(label)
            if value is not None and (value in found or (len(found) < 2 and not values)):
                group = found.setdefault(value, [])
                if len(group) < last:
                    group.append(self._counted(job.proto))
            elif value is not None and len(others) < _VALUES_SHOWN:
                others[value] = None
            scanned += 1
            if scanned == _SCAN_LIMIT or (len(found) == 2 and all(len(g) == last for g in found.values())):
                break
        if len(found) < 2 or not all(found.values()):
            raise click.UsageError(_no_groups(kind, label, found, [*others], scanned))
        ordered = list(found.items()) if values else list(found.items())[::-1]
        a, b = [Group(value, [await self._run(job) for job in jobs]) for value, jobs in ordered]
        return a, b

    async def _run(self, job: Job, depth: int = 0) -> Run:
        if not has_ended(job):
            raise click.UsageError(
                f"Job {text.one_line(job.job_id)} is {text.job_state(job.state)}, and only runs that have ended are "
                f"compared. `milepost watch {text.one_line(job.job_id)}` waits for its end."
            )
        if depth > DEPTH_LIMIT:
            raise click.UsageError(
                f"There are children of children over {DEPTH_LIMIT} levels. --no-children compares the jobs alone."
            )
        return Run(job, await self._read_events(job), await self._read_children(job, depth))

    async def _read_events(self, job: Job) -> list[Event]:
        if not self._events:
            return []
        after = max(job.first_sequence - 1, 0)
        async with self._client.watch(job.job_id, after=after, payloads=["custom"], follow=False) as watch:
            return [self._counted(event) async for event in watch]

    async def _read_children(self, job: Job, depth: int) -> list[Run]:
        if not self._children:
            return []
        listing = self._client.list(parent_job_id=job.job_id, order_by="submit_time", page_size=_PAGE_SIZE)
        children = [self._counted(child.proto) async for child in listing]
        return [await self._run(child, depth + 1) for child in children]

    def _counted(self, message: _Message) -> _Message:
        self._bytes_left -= message.ByteSize()
        if self._bytes_left < 0:
            raise click.UsageError(
                f"These runs have more than {text.human_size(BYTE_LIMIT)} in all. Leave out what is large: "
                "--ignore events, --no-children, or a smaller --last."
            )
        return message


def _no_groups(
    kind: str, label: str, found: Mapping[str, Sequence[object]], others: Sequence[str], scanned: int
) -> str:
    there = [
        text.one_line(value, 64) for value in [*(value for value, jobs in found.items() if jobs), *others]
    ]
    missing = [text.one_line(value, 64) for value, jobs in found.items() if not jobs]
    if not there:
        have = "none has that label"
    elif len(there) == 1:
        have = f"they all have {there[0]}"
    else:
        have = f"none has {' or '.join(missing)}; they have {', '.join(there)}"
    return (
        f"There are no two groups to compare by {text.one_line(label)}: "
        f"of {text.count(scanned, 'run')} of kind {text.one_line(kind)} that ended, {have}."
    )
