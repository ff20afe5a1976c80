"""Connected workers as a table."""

from __future__ import annotations

import pytest
from rich.console import Group

from milepost.client._cli.rendering.tables import workers_lines, workers_table
from milepost.v1 import ConnectedWorker
from tests.unit.command.drawing import drawn
from tests.unit.command.story import at, stamp

WORKERS = [
    ConnectedWorker(
        worker_id="box-1-4711",
        peer="ipv4:10.0.0.7:51234",
        node="node-a:7070",
        kinds=["archive", "transcribe"],
        job_count=3,
        max_concurrency=4,
        last_heard_time=stamp(0),
    ),
    ConnectedWorker(
        worker_id="cron\x1b[2J",
        peer="ipv6:%5B::1%5D:40000",
        node="node-a:7070",
        job_count=1,
        last_heard_time=stamp(-120),
    ),
]


def test_plain_lines() -> None:
    """Name, load, last message, address and kinds of each; without the node if there is only one.

    What only claims jobs, as a block does, takes none from the queue: its jobs are of no number at once.
    """
    assert list(workers_lines(WORKERS, at(5))) == [
        "WORKER       JOBS    HEARD   FROM            KINDS",
        "box-1-4711   3 of 4  5s ago  10.0.0.7:51234  archive, transcribe",
        r"cron\x1b[2J  1       2m ago  [::1]:40000     -",
    ]


def test_nodes_where_there_are_several() -> None:
    """With several nodes, the table says which one a worker is connected to."""
    moved = ConnectedWorker()
    moved.CopyFrom(WORKERS[1])
    moved.node = "node-b:7070"
    headings, first, second = workers_lines([WORKERS[0], moved], at(5))

    assert headings.split() == ["WORKER", "JOBS", "HEARD", "FROM", "NODE", "KINDS"]
    assert ("node-a:7070" in first, "node-b:7070" in second) == (True, True)


@pytest.mark.parametrize("width", [80, 50, 20])
def test_a_table_is_no_wider_than_its_terminal(width: int) -> None:
    """Long values are cut: kinds first, then the address."""
    lines = drawn(Group(*workers_table(WORKERS, at(5), width)), width).splitlines()

    assert len(lines) == 3
    assert max(map(len, lines)) <= width
    if width >= 50:
        assert all(cell in lines[1] for cell in ("box-1-4711", "3 of 4", "5s ago", "10.0.0.7:51234"))


def test_clocks_may_disagree() -> None:
    """A time in the future is shown as just now."""
    assert "0s ago" in list(workers_lines(WORKERS, at(-60)))[1]
