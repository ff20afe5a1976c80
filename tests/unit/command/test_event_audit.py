"""The demo's verification report: it finds every possible fault."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from milepost.client._cli.demo.event_audit import EventAudit, summary
from milepost.v1 import Artifact, Event, Job, JobEnded


def log(last: int) -> list[Event]:
    """A whole log."""
    return [*(Event(sequence=n) for n in range(1, last)), Event(sequence=last, job_ended=JobEnded())]


@pytest.fixture
def account() -> EventAudit:
    """A faultless log."""
    return EventAudit(received=log(9), log=log(9), cut_at=4, resumed_at=4, meanwhile=2)


def test_a_complete_run_passes(account: EventAudit) -> None:
    """Every event once, across a disconnect."""
    assert (account.good, account.lost, account.doubled) == (True, 0, 0)


@pytest.mark.parametrize(
    ("expected", "change"),
    [
        ((1, 0), {"received": log(9)[:4] + log(9)[5:]}),
        ((0, 1), {"received": log(9)[:5] + log(9)[4:]}),
        ((0, 0), {"received": log(9)[:3] + log(9)[4:2:-1] + log(9)[5:]}),
        ((0, 0), {"received": [Event(sequence=1, attempt=7), *log(9)[1:]]}),
        ((2, 0), {"received": log(9)[:7]}),
        ((0, 0), {"log": log(9)[:8], "received": log(9)[:8]}),
        ((0, 0), {"log": log(9)[1:], "received": log(9)[1:]}),
        ((0, 0), {"log": [], "received": []}),
        ((0, 0), {"cut_at": 0, "resumed_at": 0}),
        ((0, 0), {"resumed_at": 5}),
        ((0, 0), {"cut_at": 9, "resumed_at": 9}),
        ((0, 0), {"meanwhile": 0}),
    ],
    ids=[
        "one is lost",
        "one came twice",
        "two came in the wrong order",
        "one is another",
        "the end is missing",
        "the log has no end",
        "the log has no beginning",
        "there is no log",
        "it was not cut",
        "it was resumed elsewhere",
        "it was cut after the end",
        "nothing happened meanwhile",
    ],
)
def test_a_fault_is_found(account: EventAudit, expected: tuple[int, int], change: dict[str, Any]) -> None:
    """Any fault makes the report fail; lost and duplicated events are counted."""
    faulty = dataclasses.replace(account, **change)

    assert (faulty.good, faulty.lost, faulty.doubled) == (False, *expected)


def test_the_end_of_the_demo_in_words(account: EventAudit, tmp_path: Path) -> None:
    """The report has the counts, the paths, and the commands to look again."""
    artifacts = [
        Artifact(name="archive", uri=(tmp_path / "a b.tar.zst").as_uri(), size_bytes=25_600_000),
        Artifact(name="manifest", uri="s3://bucket/m.json", size_bytes=512),
    ]

    assert dedent(
        f"""\
          events      9  in the log
          cut at      4  the last event before the connection was lost
          resumed at  4  the stream went on after this one
          meanwhile   2  did not get through before the connection came back
          lost        0  did not reach the subscriber
          doubled     0  reached it more than once

        Every event came once and in order, just as in a second, uncut replay.

          archive   25.6 MB  {tmp_path}/a b.tar.zst
          manifest    512 B  s3://bucket/m.json

        To look at it again, in two terminals:
          .venv/bin/milepost serve --data '/srv/a store'
          .venv/bin/milepost watch j"""
    ) == "\n".join(
        summary(
            Job(job_id="j", artifacts=artifacts), account, Path("/srv/a store"), program=".venv/bin/milepost"
        )
    )


@pytest.mark.parametrize(
    ("expected", "change"),
    [
        ("The job was over before its connection could be cut: give the demo a larger PATH.", {"cut_at": 0}),
        (
            (
                "Nothing happened while the connection was down, so that nothing is proved: "
                "give the demo a larger PATH."
            ),
            {"meanwhile": 0},
        ),
        ("A second, uncut replay has other events: a defect in Milepost.", {"received": log(8)}),
    ],
)
def test_a_demo_that_proves_nothing_says_so(
    account: EventAudit, expected: str, change: dict[str, Any]
) -> None:
    """The report names only files that were kept."""
    faulty = dataclasses.replace(account, **change)

    assert list(summary(Job(job_id="j"), faulty, None))[-2:] == ["", expected]
