"""Compare the events that the subscriber received with the log, and summarize the result."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from milepost.client._cli.rendering import text
from milepost.v1 import Artifact, Event, Job

__all__ = ["EventAudit", "summary"]


@dataclass(frozen=True)
class EventAudit:
    """Events that a subscriber with a cut connection received, and the log as an uncut subscriber received it.

    Attributes:
        received: Events of the cut subscriber.
        log: Events of the uncut subscriber.
        cut_at: Sequence of the last event before the connection was lost; 0 if it never was.
        resumed_at: Sequence after which the stream resumed.
        meanwhile: Number of events that the subscriber lacked when the connection could be restored.
    """

    received: Sequence[Event]
    log: Sequence[Event]
    cut_at: int
    resumed_at: int
    meanwhile: int

    @property
    def lost(self) -> int:
        """Number of events that the subscriber did not receive."""
        return len({event.sequence for event in self.log} - {event.sequence for event in self.received})

    @property
    def doubled(self) -> int:
        """Number of events that it received more than once."""
        return sum(count - 1 for count in Counter(event.sequence for event in self.received).values())

    @property
    def complete(self) -> bool:
        """Whether the log is numbered 1, 2, 3 … up to its ``job_ended``."""
        numbered = [event.sequence for event in self.log] == list(range(1, len(self.log) + 1))
        return numbered and bool(self.log) and self.log[-1].HasField("job_ended")

    @property
    def good(self) -> bool:
        """Whether it received each event of a complete log once, in order and unchanged, despite the cut."""
        resumed = self.cut_at == self.resumed_at and 0 < self.cut_at < len(self.log)
        return self.complete and resumed and self.meanwhile > 0 and list(self.received) == list(self.log)


def summary(job: Job, audit: EventAudit, data: Path | None, program: str = "milepost") -> Iterator[str]:
    """Summarize the audit, the artifacts, and how to look at the job again if its ``data`` directory is kept.

    ``program`` is how to call this command.
    """
    yield from _aligned(
        [
            ("events", _number(len(audit.log)), "in the log"),
            ("cut at", _number(audit.cut_at), "the last event before the connection was lost"),
            ("resumed at", _number(audit.resumed_at), "the stream went on after this one"),
            ("meanwhile", _number(audit.meanwhile), "did not get through before the connection came back"),
            ("lost", _number(audit.lost), "did not reach the subscriber"),
            ("doubled", _number(audit.doubled), "reached it more than once"),
        ]
    )
    yield ""
    yield _verdict(audit)
    if job.artifacts and data is not None:
        yield ""
        yield from _aligned(
            [(text.escaped(a.name), text.human_size(a.size_bytes), _place(a)) for a in job.artifacts]
        )
    if data is not None:
        yield ""
        yield "To look at it again, in two terminals:"
        yield f"  {shlex.quote(program)} serve --data {shlex.quote(str(data))}"
        yield f"  {shlex.quote(program)} watch {job.job_id}"


def _verdict(audit: EventAudit) -> str:
    if audit.good:
        return "Every event came once and in order, just as in a second, uncut replay."
    if not audit.cut_at:
        return "The job was over before its connection could be cut: give the demo a larger PATH."
    if not audit.meanwhile:
        return "Nothing happened while the connection was down, so that nothing is proved: give the demo a larger PATH."
    return "A second, uncut replay has other events: a defect in Milepost."


def _aligned(rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    for name, value, note in rows:
        yield f"  {name:<{first}}  {value:>{second}}  {note}"


def _number(value: int) -> str:
    return f"{value:,}"


def _place(artifact: Artifact) -> str:
    parts = urlsplit(artifact.uri)
    return url2pathname(parts.path) if parts.scheme == "file" else text.escaped(artifact.uri)
