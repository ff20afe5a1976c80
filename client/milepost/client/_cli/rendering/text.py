"""Format numbers, times and states for people, as plain text without control characters."""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from milepost.contract.job_states import LEASED, has_ended
from milepost.contract.printable import escape
from milepost.fold import COMPLETE
from milepost.v1 import Artifact, Failure, Job, JobState, Severity, Stage, StageState

__all__ = [
    "TITLE_LABEL",
    "age",
    "amount",
    "artifact",
    "cancellation",
    "clock",
    "count",
    "date",
    "day",
    "duration",
    "elapsed",
    "escaped",
    "failure_text",
    "human_size",
    "is_bytes",
    "is_known",
    "job_state",
    "one_line",
    "percent",
    "progress",
    "rate",
    "seconds_between",
    "seconds_until",
    "severity",
    "shorten",
    "stage_name",
    "stage_state",
    "title",
]

_BYTES = frozenset({"b", "byte", "bytes"})
TITLE_LABEL: Final = "title"
"""The label that is shown as the title of a job: jobs have no other."""

_PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")


def escaped(text: str) -> str:
    """Escape control characters. Tabs become spaces; line ends stay."""
    return escape(text.expandtabs(4).replace("\r\n", "\n").rstrip("\n"))


def one_line(text: str, limit: int = 256) -> str:
    """Escape control characters, and join the text on one line, truncated to ``limit`` characters."""
    line = " ".join(escaped(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def shorten(text: str, width: int, ellipsis: str = "…") -> str:
    """Elide the middle of a text longer than ``width``: both ends distinguish an id from others."""
    if len(text) <= width:
        return text
    kept = max(width - len(ellipsis), 0)
    return f"{text[: kept - kept // 2]}{ellipsis}{text[len(text) - kept // 2 :]}"


def percent(fraction: float) -> str:
    """A fraction as whole percent, rounded down, so that only a complete one is 100%."""
    return f"{math.floor(min(max(fraction, 0.0), 1.0) * 100 + 1e-9)}%"


def progress(job: Job) -> str:
    """Progress of a job: its percent, or the number of completed stages if their total is unknown."""
    if is_known(job):
        return percent(job.fraction)
    done = sum(not stage.parent_stage_id and stage.state in COMPLETE for stage in job.stages)
    return f"{count(done, 'stage')} done" if done else ""


def is_known(job: Job) -> bool:
    """Whether the percentage of a job is meaningful.

    It is, as 0, before the first attempt; and while none of its planned children has progressed, of which no event
    tells.
    """
    if job.fraction_known or (job.state == JobState.JOB_STATE_QUEUED and not job.attempt):
        return True
    return job.state in LEASED and job.planned_children > 0 and not job.stages and job.fraction == 0


def elapsed(seconds: float, *, tenths: bool = False) -> str:
    """A duration as ``MM:SS``, from one hour as ``H:MM:SS``; never negative.

    With ``tenths`` it is more precise below ten seconds, such as ``0.4s``.
    """
    if tenths and seconds < 9.95:
        return f"{max(seconds, 0.0):.1f}s"
    total = int(max(seconds, 0.0))
    hours, rest = divmod(total, 3600)
    clock_part = f"{rest // 60:02d}:{rest % 60:02d}"
    return f"{hours}:{clock_part}" if hours else clock_part


def duration(of: Job | Stage, now: datetime) -> str:
    """Elapsed time of a job or a stage that has started."""
    if of.HasField("end_time"):
        return elapsed(seconds_between(of.start_time, of.end_time), tenths=True)
    return elapsed(seconds_between(of.start_time, now))


def age(seconds: float) -> str:
    """Age in the largest unit: ``12s``, ``3m``, ``5h``, ``12d``."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def clock(time: Timestamp, zone: tzinfo | None = None) -> str:
    """The time of day as ``HH:MM:SS``, by default in the local zone."""
    return time.ToDatetime(tzinfo=UTC).astimezone(zone).strftime("%H:%M:%S")


def date(time: Timestamp, zone: tzinfo | None = None) -> str:
    """Date, time and zone as ``YYYY-MM-DD HH:MM:SS ZONE``, by default in the local zone."""
    return time.ToDatetime(tzinfo=UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def day(time: Timestamp | datetime, zone: tzinfo | None = None) -> str:
    """The date as ``YYYY-MM-DD``, by default in the local zone."""
    moment = time if isinstance(time, datetime) else time.ToDatetime(tzinfo=UTC)
    return moment.astimezone(zone).strftime("%Y-%m-%d")


def seconds_between(start: Timestamp, end: Timestamp | datetime) -> float:
    """Seconds from ``start`` to ``end``; never negative, even if two clocks disagree."""
    last = end if isinstance(end, datetime) else end.ToDatetime(tzinfo=UTC)
    return max((last - start.ToDatetime(tzinfo=UTC)).total_seconds(), 0.0)


def seconds_until(time: Timestamp, now: datetime) -> float:
    """Seconds from now to ``time``; never negative."""
    return max((time.ToDatetime(tzinfo=UTC) - now).total_seconds(), 0.0)


def artifact(artifact: Artifact) -> str:
    """Name, size and URI: ``manifest.json  51.2 kB  file:///…``."""
    size = human_size(artifact.size_bytes) if artifact.size_bytes else ""
    return "  ".join(part for part in (escaped(artifact.name), size, escaped(artifact.uri)) if part)


def cancellation(job: Job) -> str:
    """Requester, reason and outcome of a cancellation."""
    cancel = job.cancellation
    who = f" by {one_line(cancel.requested_by)}" if cancel.requested_by else ""
    why = f": {one_line(cancel.reason, 200)}" if cancel.reason else ""
    if job.state == JobState.JOB_STATE_CANCELLED:
        return f"cancelled{who}{', without its worker' if cancel.forced else ''}{why}"
    if has_ended(job):
        return f"cancellation was requested{who}{why}"
    heard = ", heard by the worker" if cancel.HasField("acknowledge_time") else ""
    return f"cancellation requested{who}{heard}{why}"


def human_size(size: float) -> str:
    """A number of bytes in decimal units: ``999 B``, ``1.5 kB``, ``130.4 MB``."""
    scale, prefix = _scale(size)
    return f"{_scaled(size, scale)} {prefix}B"


def is_bytes(unit: str) -> bool:
    """Whether a stage counts bytes."""
    return unit.lower() in _BYTES


def amount(current: float, total: float | None, unit: str) -> str:
    """Completed amount of a stage: ``61.2 of 130.4 MB``, ``12 files``; empty without one."""
    if total is None and current == 0:
        return ""
    if is_bytes(unit):
        if total is None:
            return human_size(current)
        scale, prefix = _scale(total)
        return f"{_scaled(current, scale)} of {_scaled(total, scale)} {prefix}B"
    number = _number(current) if total is None else f"{_number(current)} of {_number(total)}"
    return f"{number} {escaped(unit)}".rstrip()


def rate(current: float, seconds: float, unit: str) -> str:
    """Rate of a stage: ``12.3 MB/s``, ``41 files/s``, ``24 files/min``; empty during the first second."""
    if current <= 0 or seconds < 1 or not unit:
        return ""
    pace = current / seconds
    if is_bytes(unit):
        return f"{human_size(pace)}/s"
    if pace < 1:
        return f"{_number(round(pace * 60, 1))} {one_line(unit)}/min"
    return f"{_number(round(pace, 1) if pace < 10 else round(pace))} {one_line(unit)}/s"


def count(number: int, noun: str) -> str:
    """A number with its noun: ``1 event``, ``1,234 events``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def job_state(state: JobState.ValueType) -> str:
    """The state as a word, such as ``running``; empty if unspecified."""
    if state == JobState.JOB_STATE_UNSPECIFIED:
        return ""
    return _word(JobState.Name(state), "JOB_STATE_") if state in JobState.values() else f"state {state}"


def stage_state(state: StageState.ValueType) -> str:
    """The state as a word, such as ``pending``."""
    return _word(StageState.Name(state), "STAGE_STATE_") if state in StageState.values() else f"state {state}"


def severity(value: Severity.ValueType) -> str:
    """The severity as a word, such as ``warning``; ``info`` if unspecified."""
    if value not in Severity.values() or value == Severity.SEVERITY_UNSPECIFIED:
        return "info"
    return _word(Severity.Name(value), "SEVERITY_")


def stage_name(stage: Stage) -> str:
    """Title of the stage, or its id if it has none."""
    return one_line(stage.title or stage.stage_id)


def title(job: Job) -> str:
    """Title of the job; empty for most."""
    return one_line(job.labels.get(TITLE_LABEL, ""))


def failure_text(failure: Failure) -> str:
    """Code and message: ``PATH_NOT_FOUND: There is no …``."""
    code, message = escaped(failure.code), one_line(failure.message, 1000)
    return f"{code}: {message}" if code and message else code or message


def _scale(size: float) -> tuple[float, str]:
    scale, rank = 1.0, 0
    while size >= 999.95 * scale and rank < len(_PREFIXES) - 1:
        scale *= 1000.0
        rank += 1
    return scale, _PREFIXES[rank]


def _scaled(size: float, scale: float) -> str:
    return f"{size:,.0f}" if scale == 1.0 else f"{size / scale:,.1f}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def _word(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower()
