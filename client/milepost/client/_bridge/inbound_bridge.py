"""Turn messages of existing channels into reports: find the job of each, within bounds on jobs and memory."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import math
import uuid
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final

from milepost.client._bridge.bridged_job import DETACH_TIMEOUT, BridgedJob
from milepost.client._bridge.mapped_message import MalformedMessage, MappedMessage
from milepost.client._bridge.message_mapping import MessageMapping
from milepost.client._client import Client
from milepost.client._worker.truncation import unicode_text
from milepost.client.errors import JobFailure
from milepost.contract.limits import JOB_ID, KIB, LABEL_VALUE_LENGTH, MIB, NAME_LENGTH

__all__ = ["BRIDGED_ID_LABEL", "BUFFER_SIZE", "DECODED_SIZE", "ENDED_IDS", "MESSAGE_SIZE", "InboundBridge"]

_logger = logging.getLogger("milepost.client")

BRIDGED_ID_LABEL: Final = "milepost.dev/bridged-id"
"""Label of the jobs that a bridge starts: what the application calls them."""
MESSAGE_SIZE: Final = 1 * MIB
"""Bytes of the largest message that is reported as a whole; of a larger one only progress and end are."""
DECODED_SIZE: Final = 8 * MIB
"""Bytes of the largest message that is decoded, to find its job and whether it ends the job."""
BUFFER_SIZE: Final = 64 * MIB
"""Bytes, about, that wait to be sent for all jobs; beyond them log lines and events are dropped."""
ENDED_IDS: Final = 10_000
"""Ids of ended jobs, the latest, whose further messages are ignored without asking the server."""

# Seconds between two checks for idle jobs, and between two log lines about messages that were not reported.
_IDLE_INTERVAL: Final = 1.0
_LOG_INTERVAL: Final = 10.0
# Seconds for which messages of a job are ignored that the server has refused for now.
_RETRY_INTERVAL: Final = 10.0
# Seconds for which the end of a job is kept while the server is away.
_FLUSH_TIMEOUT: Final = 600.0
_ENDED: Final = "their job has ended, or was refused"
_NAMESPACE: Final = uuid.UUID("5d7f1f0e-36c9-4a57-9d0c-6f1a4c8d2b11")


class InboundBridge:
    """Turns messages into reports. Each job of the application becomes one job of Milepost.

    `receive` never waits: messages of a job that is being claimed are kept, within bounds, and so are reports while the
    server is away.

    Attributes:
        received: Number of messages.
    """

    def __init__(
        self,
        client: Client,
        mapping: MessageMapping,
        publish: Callable[[str, bytes], Awaitable[object]],
        *,
        owner: str = "",
        max_jobs: int = 1_000,
    ) -> None:
        """Connect nothing yet.

        Args:
            client: The server.
            mapping: What messages mean.
            publish: Sends a message to a channel of the application, once that is possible.
            owner: Owner of the jobs that the bridge starts.
            max_jobs: Maximum of jobs at a time; messages of others are dropped.
        """
        self.received = 0
        self._client = client
        self._mapping = mapping
        self._rules = mapping.job_rules
        self._publish = publish
        self._owner = owner
        self._max_jobs = max_jobs
        # The least recently heard of first, with the time of their last message.
        self._jobs: OrderedDict[str, tuple[BridgedJob, float]] = OrderedDict()
        # Until when their messages are ignored.
        self._ended: OrderedDict[str, float] = OrderedDict()
        self._tasks: dict[str, asyncio.Task[bool]] = {}
        self._buffered = 0
        self._sizes: dict[str, int] = {}
        self._not_reported: Counter[str] = Counter()
        self._closing = False
        self._loop = asyncio.get_running_loop()

    @property
    def job_count(self) -> int:
        """Number of jobs that have not ended."""
        return len(self._jobs)

    @property
    def buffered(self) -> int:
        """Bytes, about, that wait to be sent for all jobs."""
        return self._buffered

    def receive(self, channel: str, payload: bytes) -> None:
        """Report what a message says. One that says nothing is ignored; others that cannot be reported are counted."""
        self.received += 1
        try:
            message = self._mapping.map(channel, _decoded(payload))
        except MalformedMessage as error:
            self._count(f"malformed message on {channel[:100]!r}: {error}")
            return
        if message is None or self._closing:
            return
        if self._ended.get(message.id, 0.0) > self._loop.time():
            self._ended.move_to_end(message.id)
            self._count(_ENDED)
            return
        job = self._job_of(message)
        if job is None:
            self._count(f"more than {self._max_jobs:,} jobs (--max-jobs)")
            return
        congested = self._buffered > BUFFER_SIZE
        if len(payload) > MESSAGE_SIZE:
            self._count(f"message on {channel[:100]!r}, but for progress and end: {_too_large(MESSAGE_SIZE)}")
            message = message.essential()
            if message.end or not congested:
                job.note(
                    f"A message of {len(payload) / MIB:.1f} MiB is reported without its result, log lines and events: "
                    f"{_too_large(MESSAGE_SIZE)}."
                )
        if not job.receive(message, len(payload), congested=congested):
            self._count(_ENDED)
        self._measure(message.id, job)

    def interrupted(self, seconds: float) -> None:
        """Messages may have been lost: note it in the log of each job, and start its idle time again."""
        text = f"Messages may be missing here: their channel could not be read for {seconds:.1f} s."
        for external_id, (job, _) in tuple(self._jobs.items()):
            job.note(text)
            self._jobs[external_id] = job, self._loop.time()

    async def run(self) -> None:
        """End jobs without messages, and log what was not reported, until cancelled."""
        next_log = 0.0
        while True:
            await asyncio.sleep(min(_IDLE_INTERVAL, self._rules.idle / 4))
            self._end_idle()
            if self._buffered > BUFFER_SIZE:
                for external_id, (job, _) in self._jobs.items():
                    self._measure(external_id, job)
            if self._not_reported and self._loop.time() >= next_log:
                self._log_not_reported()
                next_log = self._loop.time() + _LOG_INTERVAL

    async def close(self) -> None:
        """Leave all jobs as they are, for the next bridge to take over."""
        self._closing = True
        self._log_not_reported()
        for job, _ in self._jobs.values():
            job.leave()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks.values()), timeout=DETACH_TIMEOUT + 2.0)
        for task in tuple(self._tasks.values()):
            task.cancel()

    def _job_of(self, message: MappedMessage) -> BridgedJob | None:
        """The job of a message, which starts with its first one; None if there are too many."""
        known = self._jobs.get(message.id)
        if known is not None:
            self._jobs[message.id] = known[0], self._loop.time()
            self._jobs.move_to_end(message.id)
            return known[0]
        if len(self._jobs) >= self._max_jobs:
            return None
        job = self._new_job(message.id)
        self._jobs[message.id] = job, self._loop.time()
        task = self._tasks[message.id] = asyncio.create_task(job.run(), name=f"bridged job {message.id}")
        task.add_done_callback(lambda ended: self._job_ended(message.id, ended))
        return job

    def _new_job(self, external_id: str) -> BridgedJob:
        kind = self._rules.kind
        job_id, request_id = _ids(kind, external_id)
        instance = f"bridge:{request_id}"[:NAME_LENGTH]
        if kind:
            attached = self._client.start(
                kind,
                job_id=job_id,
                request_id=request_id,
                owner=self._owner,
                labels={BRIDGED_ID_LABEL: external_id[:LABEL_VALUE_LENGTH]},
                instance=instance,
                on_unreachable="go on",
                flush_timeout=_FLUSH_TIMEOUT,
            )
        else:
            attached = self._client.attach(
                external_id, instance=instance, on_unreachable="go on", flush_timeout=_FLUSH_TIMEOUT
            )

        async def cancel() -> None:
            await self._client.cancel(job_id, reason="Its application has cancelled it.")

        async def ask_to_stop() -> bool:
            if self._rules.cancel is None:
                return False
            channel, message = self._rules.cancel(external_id)
            body = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
            await self._publish(unicode_text(channel), unicode_text(body).encode())
            return True

        return BridgedJob(
            external_id, attached.attachment, self._rules, cancel=cancel, ask_to_stop=ask_to_stop
        )

    def _job_ended(self, external_id: str, task: asyncio.Task[bool]) -> None:
        del self._jobs[external_id], self._tasks[external_id]
        self._buffered -= self._sizes.pop(external_id, 0)
        is_over = not task.cancelled() and task.exception() is None and task.result()
        self._ended[external_id] = math.inf if is_over else self._loop.time() + _RETRY_INTERVAL
        if len(self._ended) > ENDED_IDS:
            self._ended.popitem(last=False)
        if not task.cancelled() and (error := task.exception()) is not None:
            _logger.error("job %s: the bridge failed", external_id, exc_info=error)

    def _end_idle(self) -> None:
        """End the jobs without a message for too long, which are the first ones."""
        limit = self._loop.time() - self._rules.idle
        for external_id, (job, heard) in tuple(self._jobs.items()):
            if heard > limit:
                return
            _logger.warning("job %s ends: there was no message for %g s", external_id, self._rules.idle)
            self._jobs[external_id] = job, self._loop.time()
            self._jobs.move_to_end(external_id)
            job.end(JobFailure("IDLE", f"There was no message of it for {self._rules.idle:g} s."))

    def _measure(self, external_id: str, job: BridgedJob) -> None:
        size = job.size
        self._buffered += size - self._sizes.get(external_id, 0)
        self._sizes[external_id] = size

    def _count(self, why: str) -> None:
        """Count a message that is not reported; only a few reasons have counts of their own."""
        self._not_reported[why if len(self._not_reported) < 100 else "for other reasons"] += 1

    def _log_not_reported(self) -> None:
        for why, count in self._not_reported.most_common(5):
            _logger.warning("messages not reported: %d, %s", count, why)
        if others := sum(count for _, count in self._not_reported.most_common()[5:]):
            _logger.warning("messages not reported: %d, for other reasons", others)
        self._not_reported.clear()


def _decoded(payload: bytes) -> Any:
    if len(payload) > DECODED_SIZE:
        raise MalformedMessage(_too_large(DECODED_SIZE))
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        raise MalformedMessage("it is not JSON") from None


def _too_large(limit: int) -> str:
    return f"it has more than {limit // KIB:,} KiB"


def _ids(kind: str, external_id: str) -> tuple[str, str]:
    """The job_id and the request_id: the same after a restart, so that a job is found again."""
    if not kind:
        return external_id, f"bridged:{_shortened(external_id)}"
    name = f"{kind}-{external_id}"
    job_id = name if JOB_ID.fullmatch(name) else str(uuid.uuid5(_NAMESPACE, name))
    return job_id, f"bridged:{_shortened(name)}"


def _shortened(name: str) -> str:
    return name if len(name) <= NAME_LENGTH - 32 else hashlib.sha256(name.encode()).hexdigest()
