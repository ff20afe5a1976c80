"""Runs of our own: the archive example on twenty trees, twice each; what was estimated beside what they took.

A real server and a real worker, one job after the other. The second run of each tree has another load beside it, which
the first twenty runs did not have.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import fmean, median
from typing import Final, NamedTuple

from rich.table import Table

from bench.processes import MeasurementFailed, Server, child, milepost, running
from milepost.client import Client, JobSnapshot
from milepost.contract.job_states import has_ended
from milepost.server.forecasting.calibration import CHECKPOINTS
from milepost.v1 import JobState

TREES: Final = 20
_SEED: Final = 14
_SMALLEST, _LARGEST = 4 << 20, 32 << 20
"""Bytes of a tree."""

_FILES: Final = 60
_LOOK_INTERVAL: Final = 0.02
_FEW: Final = 3
"""Runs with fewer before them are reported apart."""


class Look(NamedTuple):
    """What was estimated at a moment of a run, in seconds, beside what came."""

    before: int
    """Runs that had ended before it."""
    loaded: bool
    """Whether another load ran beside it."""
    fraction: float
    """Of its time."""
    took: float
    left: float
    p50: float | None
    """None without an estimate."""
    p90: float | None
    by_fraction: float
    """Elapsed ÷ fraction, with the weights that the example gives; 0 while nothing is done."""
    last_run: float
    """What the run before it would say."""

    def error(self, left: float) -> float:
        """Difference of the remaining times ÷ the duration of the run."""
        return abs(left - self.left) / self.took


def measure(directory: Path, trees: int = TREES) -> list[Look]:
    """Run everything in ``directory``."""
    chance = random.Random(_SEED)
    directory = directory.resolve()
    roots = [directory / f"tree-{number}" for number in range(trees)]
    for root in roots:
        _grow(root, chance)
    runs = [(root, loaded) for loaded in (False, True) for root in chance.sample(roots, len(roots))]
    looks: list[Look] = []
    last = 0.0
    with milepost(directory / "data") as server, _worker(server, directory / "worker.log"):
        for before, (root, loaded) in enumerate(runs):
            with child(_load) if loaded else nullcontext():
                looks += _archive(server.address, root, before, last, loaded=loaded)
            last = looks[-1].took
    return looks


def summary(looks: Sequence[Look]) -> dict[str, dict[str, float]]:
    """The figures, of all runs with enough before them, and of parts of them."""
    counted = [look for look in looks if look.before >= _FEW]
    parts = {
        "all": counted,
        "without another load": [look for look in counted if not look.loaded],
        "with another load": [look for look in counted if look.loaded],
        "first quarter": [look for look in counted if look.fraction <= 0.25],
        "later": [look for look in counted if look.fraction > 0.25],
        f"fewer than {_FEW} runs before": [look for look in looks if look.before < _FEW],
    }
    return {name: _figures(found) for name, found in parts.items() if found}


def table(title: str, figures: dict[str, dict[str, float]]) -> Table:
    """The figures as a table."""
    drawn = Table(title=f"{title}: what was estimated beside what they took")
    drawn.add_column("")
    for name in next(iter(figures.values())):
        drawn.add_column(name, justify="right")
    for part, found in figures.items():
        drawn.add_row(part, *(f"{value:g}" if value > 1 else f"{value:.1%}" for value in found.values()))
    return drawn


def _figures(looks: Sequence[Look]) -> dict[str, float]:
    told = [look for look in looks if look.p50 is not None and look.p90 is not None]
    errors = [look.error(look.p50) for look in told if look.p50 is not None]
    return {
        "looks": len(looks),
        "silent": 1 - len(told) / len(looks),
        "mean error": fmean(errors) if errors else 0.0,
        "median error": median(errors) if errors else 0.0,
        "within 10 %": fmean(error <= 0.1 for error in errors) if errors else 0.0,
        "elapsed / fraction": fmean(look.error(look.by_fraction) for look in looks),
        "last run": fmean(look.error(look.last_run) for look in looks),
        "p90 covers": fmean(look.p90 is not None and look.left <= look.p90 for look in told) if told else 0.0,
    }


def _grow(root: Path, chance: random.Random) -> None:
    """Make a tree of a size of its own, a part of which can be compressed."""
    root.mkdir()
    size = int(_SMALLEST * (_LARGEST / _SMALLEST) ** chance.random())
    for number in range(chance.randrange(_FILES // 2, _FILES)):
        length = size // _FILES
        text = b"The quick brown fox jumps over the lazy dog. " * (length // 90)
        (root / f"file-{number}").write_bytes(text + chance.randbytes(length - len(text)))


@contextmanager
def _worker(server: Server, log: Path) -> Iterator[None]:
    milepost_command = str(Path(sys.executable).with_name("milepost"))
    command = [milepost_command, "worker", "milepost.examples.archive:worker"]
    command += ["--address", server.address]
    with log.open("w") as output, running(command, stdout=output, stderr=output):
        yield


def _load(pipe: Connection) -> None:
    """Take a processor until the parent closes the pipe."""
    while not pipe.poll():
        hashlib.sha256(b"x" * (1 << 20)).digest()


def _archive(address: str, root: Path, before: int, last: float, *, loaded: bool) -> list[Look]:
    """Archive a tree, slowly, with its size as the workload."""
    size = sum(file.stat().st_size for file in root.iterdir())
    content = {"path": str(root), "output": f"{root}-{loaded}.tar.xz"}
    return looks_at(asyncio.run(_run(address, content, float(size))), before, last, loaded=loaded)


def looks_at(
    seen: Sequence[tuple[int, JobSnapshot]], before: int, last: float, *, loaded: bool
) -> list[Look]:
    """The looks at a run.

    Args:
        seen: The job as it was at many moments, in nanoseconds, until its end.
        before: Runs of its kind that had ended before it.
        last: Seconds that the last one of these took.
        loaded: Whether another load ran beside it.
    """
    job = seen[-1][1]
    started = job.start_time.ToNanoseconds()
    took = (job.end_time.ToNanoseconds() - started) / 1e9
    looks = []
    for fraction in CHECKPOINTS:
        elapsed = took * fraction
        moment = started + round(elapsed * 1e9)
        p50, p90 = _estimate(seen, moment)
        done = max((each.fraction for at, each in seen if at <= moment), default=0.0)
        by_fraction = elapsed / done - elapsed if done else 0.0
        left, last_run = took - elapsed, max(last - elapsed, 0.0)
        looks.append(Look(before, loaded, fraction, took, left, p50, p90, by_fraction, last_run))
    return looks


async def _run(address: str, content: Mapping[str, str], workload: float) -> list[tuple[int, JobSnapshot]]:
    async with Client(address) as client:
        return await until_end(client, await client.submit("archive", content, workload=workload))


async def until_end(client: Client, job: JobSnapshot) -> list[tuple[int, JobSnapshot]]:
    """The job as it was at many moments, in nanoseconds, until it has succeeded."""
    seen: list[tuple[int, JobSnapshot]] = []
    while not has_ended(job):
        await asyncio.sleep(_LOOK_INTERVAL)
        job = await client.get(job.job_id)
        seen.append((time.time_ns(), job))
    if job.state != JobState.JOB_STATE_SUCCEEDED:
        raise MeasurementFailed(f"{job.kind} {job.job_id} did not succeed: {job.failure}")
    return seen


def _estimate(seen: Sequence[tuple[int, JobSnapshot]], moment: int) -> tuple[float | None, float | None]:
    """What the latest estimate before the moment says, counted down."""
    made = [job.estimate for _, job in seen if job.HasField("estimate")]
    known = [estimate for estimate in made if estimate.as_of.ToNanoseconds() <= moment]
    if not known or known[-1].overdue:
        return None, None
    since = (moment - known[-1].as_of.ToNanoseconds()) / 1e9
    p50, p90 = (
        max(remaining.ToNanoseconds() / 1e9 - since, 0.0)
        for remaining in (known[-1].remaining_p50, known[-1].remaining_p90)
    )
    return p50, p90
