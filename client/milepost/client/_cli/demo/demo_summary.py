"""The end of the demo in words."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from milepost.client._cli.demo.event_audit import Account
from milepost.client._cli.rendering import text
from milepost.v1 import Artifact, Job

__all__ = ["summary"]


def summary(job: Job, account: Account, data: Path | None, program: str = "milepost") -> Iterator[str]:
    """The count, where the artifacts lie, and how to look at the job again, if its ``data`` are kept.

    ``program`` is what the command is to be called as.
    """
    yield from _aligned(
        [
            ("events", _number(len(account.log)), "in the log"),
            ("cut at", _number(account.cut_at), "the last event before the connection was lost"),
            ("resumed at", _number(account.resumed_at), "the stream went on after this one"),
            ("meanwhile", _number(account.meanwhile), "did not get through before the connection came back"),
            ("lost", _number(account.lost), "did not reach the subscriber"),
            ("doubled", _number(account.doubled), "reached it more than once"),
        ]
    )
    yield ""
    yield _verdict(account)
    if job.artifacts and data is not None:
        yield ""
        yield from _aligned(
            [(text.clean(a.name), text.human_size(a.size_bytes), _place(a)) for a in job.artifacts]
        )
    if data is not None:
        yield ""
        yield "To look at it again, in two terminals:"
        yield f"  {shlex.quote(program)} serve --data {shlex.quote(str(data))}"
        yield f"  {shlex.quote(program)} watch {job.job_id}"


def _verdict(account: Account) -> str:
    if account.good:
        return "Every event came once and in order, just as in a second, uncut replay."
    if not account.cut_at:
        return "The job was over before its connection could be cut: give the demo a larger PATH."
    if not account.meanwhile:
        return "Nothing happened while the connection was down, so that nothing is proved: give the demo a larger PATH."
    return "A second, uncut replay has other events: a defect in Milepost."


def _aligned(rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    for name, value, remark in rows:
        yield f"  {name:<{first}}  {value:>{second}}  {remark}"


def _number(value: int) -> str:
    return f"{value:,}"


def _place(artifact: Artifact) -> str:
    parts = urlsplit(artifact.uri)
    return url2pathname(parts.path) if parts.scheme == "file" else text.clean(artifact.uri)
