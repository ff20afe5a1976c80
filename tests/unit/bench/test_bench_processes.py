"""The processes that a measurement starts."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bench.processes import Load, MeasurementFailed
from tests.support.isolating import all_gone, is_gone

ROOT = Path(__file__).parents[3]


async def missing() -> AsyncGenerator[None]:
    """A load whose first step fails."""
    for number in range(1):
        raise MeasurementFailed(f"subscriber {number} missed an event")
    yield


def test_a_failure_in_a_process_that_makes_load_comes_back() -> None:
    """With its message, not as a traceback on its stderr."""
    with Load.start() as load:
        load.begin(missing)
        with pytest.raises(MeasurementFailed, match=r"^subscriber 0 missed an event$"):
            load.step()


async def late(path: str) -> AsyncGenerator[None]:
    """A load whose first step takes until the file exists."""
    while not Path(path).exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
        await asyncio.sleep(0.001)
    yield


def test_a_step_that_takes_too_long(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The limit is the error; that the result comes to nobody is none."""
    with Load.start() as load:
        load.begin(late, str(tmp_path / "go on"))
        with pytest.raises(MeasurementFailed, match=r"^a step took over 0.01 s$"):
            load.step(0.01)
        load._pipe.close()
        (tmp_path / "go on").touch()

    assert capfd.readouterr().err == ""


_MEASURING = """
import sys, time
from pathlib import Path
from bench.processes import Load, milepost

with milepost(Path(sys.argv[1])) as server, Load.start() as load:
    print(server.pid, load.pid, flush=True)
    time.sleep(3600)
"""


def test_what_a_measurement_started_ends_with_it(tmp_path: Path) -> None:
    """Also where it is killed: servers left behind would disturb the next measurement."""
    command = [sys.executable, "-c", _MEASURING, str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as measuring:
        try:
            assert measuring.stdout is not None
            pids = [int(pid) for pid in measuring.stdout.readline().split()]
            alive = [not is_gone(pid) for pid in pids]
        finally:
            measuring.terminate()
    assert alive == [True, True]
    asyncio.run(all_gone(pids))
