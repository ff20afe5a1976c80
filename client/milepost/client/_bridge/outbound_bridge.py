"""From the events of jobs to channels and a stream of Redis."""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final, Unpack

from milepost.client._bridge.redis_writer import Outgoing, RedisWriter
from milepost.client._client import Client
from milepost.client._message_json import to_json
from milepost.client._options import JobsWatchOptions
from milepost.client._transport.error_mapping import is_misconfigured
from milepost.client._transport.repeated_call import until_answered
from milepost.client._watch.jobs_cursor import Gap, Item
from milepost.client._watch.jobs_watch import JobsWatch
from milepost.client._worker.truncation import unicode_text
from milepost.client.errors import JobNotFound, StreamsBlocked, Unreachable
from milepost.v1 import Event, Job

__all__ = ["KNOWN_JOBS", "ChannelName", "OutboundBridge"]

_logger = logging.getLogger("milepost.client")

KNOWN_JOBS: Final = 10_000
"""Number of jobs whose kind, owner and labels are cached for the names of channels."""

_FIELD: Final = re.compile(r"\{([^{}]*)\}")

Publication = Callable[[str, dict[str, Any]], Any]
"""Returns what is published of an item on a channel: JSON, or text; None for nothing."""


class ChannelName:
    """The name of the channel of a job: text with ``{job_id}``, ``{kind}``, ``{owner}`` and ``{label.KEY}``."""

    def __init__(self, template: str) -> None:
        """Raises ValueError for an unknown field."""
        for field in _FIELD.findall(template):
            if field not in ("job_id", "kind", "owner") and not field.startswith("label."):
                raise ValueError(
                    f"A channel cannot have {{{field}}} in its name: "
                    "use {job_id}, {kind}, {owner} or {label.KEY}."
                )
        self._template = template
        self.needs_job = any(field != "job_id" for field in _FIELD.findall(template))

    def of(self, job: Job) -> str:
        """The name for a job; empty if it lacks a label of the name."""
        values = [_value(job, field) for field in _FIELD.findall(self._template)]
        if not all(values):
            return ""
        return _FIELD.sub(lambda match: _value(job, match[1]), self._template)


class OutboundBridge:
    """Writes the events of all jobs that match to Redis, in order, and goes on where an earlier bridge stopped."""

    def __init__(
        self,
        client: Client,
        writer: RedisWriter,
        channel: ChannelName | None,
        *,
        publication: Publication | None = None,
        from_start: bool = False,
        **selection: Unpack[JobsWatchOptions],
    ) -> None:
        """Connect nothing yet.

        Args:
            client: The server.
            writer: Writes.
            channel: Name of the channels; None to publish nothing.
            publication: Makes of an item what is published; None: the item itself.
            from_start: Begin with all events that the server has, if there is no earlier bridge; else with the next.
            selection: The jobs and events; see `JobsWatchOptions`.
        """
        self._client = client
        self._writer = writer
        self._channel = channel
        self._publication = publication
        self._from_start = from_start
        self._selection = selection
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    async def run(self) -> None:
        """Write until cancelled.

        Raises:
            AnotherBridge: Another bridge has started with the same state.
            AuthenticationError: Redis refuses the credentials.
            MilepostError: The server refuses the watch.
        """
        written = await self._writer.take_over()
        if written is not None:
            self._selection |= {"after": written.position, "epoch": written.epoch}
        elif not self._from_start:
            self._selection["latest"] = True
        async with await self._opened_watch() as watch:
            # Even before the first event, so that the next bridge goes on from here.
            await self._writer.write((), watch.epoch, watch.position)
            _logger.info("writing the events after position %s", watch.position or 0)
            while items := await watch.batch():
                outgoing = [await self._outgoing(item, watch) for item in items]
                await self._writer.write(outgoing, watch.epoch, watch.position)

    async def _opened_watch(self) -> JobsWatch:
        """A watch that the server has accepted. It waits for a server that is away as long as a bridge runs."""
        while True:
            async with contextlib.AsyncExitStack() as unless_opened:
                watch = self._client.watch_jobs(on_gap="snapshot", **self._selection)
                await unless_opened.enter_async_context(watch)
                try:
                    await watch.opened()
                except Unreachable as error:
                    if isinstance(error, StreamsBlocked) or is_misconfigured(error):
                        raise
                    _logger.warning("%s; trying again until it is back", str(error).rstrip("."))
                else:
                    unless_opened.pop_all()
                    return watch

    async def _outgoing(self, item: Item, watch: JobsWatch) -> Outgoing:
        name, job_id, sequence, data = _described(item)
        if watch.position is not None:
            data = {"id": f"{watch.epoch}:{watch.position}", **data}
        line = {"event": name, **data}
        channel = await self._channel_of(item, job_id) if self._channel is not None else ""
        published: Any = line
        if channel and self._publication is not None:
            published = self._published(self._publication, channel, line)
            channel = "" if published is None else channel
        return Outgoing(channel, _text(published), name, job_id, sequence, _text(line))

    def _published(self, publication: Publication, channel: str, line: dict[str, Any]) -> str | None:
        """Call the application's function for an item; None if it publishes nothing, or fails.

        To end with its error would be to end at the same item after each restart.
        """
        try:
            published = publication(channel, line)
            return None if published is None else unicode_text(_text(published))
        except Exception:  # whatever the function of the application raises
            _logger.warning("a %s is not published on %r", line["event"], channel, exc_info=True)
            return None

    async def _channel_of(self, item: Item, job_id: str) -> str:
        assert self._channel is not None
        if not job_id:
            return ""
        if not self._channel.needs_job:
            return self._channel.of(Job(job_id=job_id))
        job = await self._job(item, job_id)
        return self._channel.of(job) if job is not None else ""

    async def _job(self, item: Item, job_id: str) -> Job | None:
        """Get the job that the name of a channel needs; None if it was deleted."""
        if isinstance(item, Job):
            self._keep(item)
        elif isinstance(item, Event) and item.HasField("job_submitted"):
            self._keep(item.job_submitted.job)
        elif job_id not in self._jobs:
            found = await self._get(job_id)
            if found is None:
                return None
            self._keep(found)
        self._jobs.move_to_end(job_id)
        return self._jobs[job_id]

    async def _get(self, job_id: str) -> Job | None:
        """A job, once the server is there; None if there is none."""
        try:
            return (await until_answered(lambda: self._client.get(job_id))).proto
        except JobNotFound:
            return None

    def _keep(self, job: Job) -> None:
        kept = Job(job_id=job.job_id, kind=job.kind, owner=job.owner, labels=job.labels)
        self._jobs[job.job_id] = kept
        if len(self._jobs) > KNOWN_JOBS:
            self._jobs.popitem(last=False)


def _described(item: Item) -> tuple[str, str, int, dict[str, Any]]:
    """Name, job, sequence and content of an item, named as in streams over HTTP."""
    match item:
        case Event():
            name = item.WhichOneof("payload") or "unknown"
            return name, item.job_id, item.sequence, {"data": to_json(item)}
        case Job():
            return "snapshot", item.job_id, item.last_sequence, {"data": to_json(item)}
        case Gap():
            return "gap", "", 0, {"data": {"message": str(item.error)}}
    return type(item).__name__.lower(), item.job_id, 0, {"data": to_json(item)}


def _value(job: Job, field: str) -> str:
    if field.startswith("label."):
        labels: Mapping[str, str] = job.labels
        return labels.get(field.removeprefix("label."), "")
    return str(getattr(job, field))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
