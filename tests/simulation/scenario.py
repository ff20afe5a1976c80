"""The scenario of a seed: the workers, the jobs with their outcomes, and the faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Final

__all__ = ["QUIET", "Behaviour", "Fault", "JobPlan", "Scenario", "WorkerPlan", "scenario"]

QUIET: Final = 25.0
"""Seconds from the start until the last fault is over."""

KINDS: Final = ("copy", "scan")


@dataclass(frozen=True)
class Behaviour:
    """The behaviour of a handler in each attempt. Times in seconds."""

    steps: int
    pace: float
    ending: str
    """``succeed``, ``fail``, or ``hang`` until it must stop."""
    failing_attempts: int
    """The number of first attempts that fail retryably."""
    stubborn: float
    """Seconds that it goes on after it must stop."""
    completes: bool
    """Whether it then returns, as without a cancellation."""


@dataclass(frozen=True)
class JobPlan:
    """A job. Times in seconds; 0 means not set."""

    name: str
    at: float
    kind: str
    owner: str
    given_id: bool
    copies: int
    parent: int | None
    priority: int
    max_attempts: int
    backoff: float
    timeout: float
    attempt_timeout: float
    start_deadline: float
    key: str
    limit: int
    cancels: tuple[tuple[float, float], ...]
    """The time and the grace period of its cancellation."""
    watched: bool
    behaviour: Behaviour


@dataclass(frozen=True)
class WorkerPlan:
    """A worker process."""

    name: str
    kinds: tuple[str, ...]
    max_concurrency: int


@dataclass(frozen=True)
class Fault:
    """A fault of limited duration."""

    at: float
    name: str
    target: int
    seconds: float


@dataclass(frozen=True)
class Scenario:
    """A whole scenario."""

    workers: list[WorkerPlan] = field(default_factory=list)
    jobs: list[JobPlan] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


FAULTS: Final = (
    "cut",
    "cut",
    "half-open",
    "half-open",
    "pause worker",
    "pause worker",
    "crash worker",
    "stop worker",
    "stop worker",
    "pause server",
    "crash server",
    "crash server",
    "stop server",
    "hold disk",
    "full disk",
    "full disk",
)


def scenario(source: Random, *, restores: bool) -> Scenario:
    """Draw a scenario. With ``restores`` jobs are long, and everything can continue after a loss of data."""
    workers = [
        WorkerPlan(
            name=f"w{number}",
            kinds=KINDS if number == 0 else tuple(source.sample(KINDS, source.randint(1, 2))),
            max_concurrency=source.randint(1, 3),
        )
        for number in range(source.randint(1, 3))
    ]
    jobs = [_job(source, number, restores) for number in range(source.randint(2, 6))]
    faults = [
        Fault(
            at=source.uniform(0.5, QUIET - 1),
            name=source.choice(FAULTS),
            target=source.randrange(len(workers)),
            seconds=source.choice((0.1, 1.0, 3.0, 7.0, 12.0)) * source.uniform(0.5, 1.5),
        )
        for _ in range(source.randint(2, 7) if not restores else 2)
    ]
    return Scenario(workers, jobs, sorted(faults, key=lambda fault: fault.at))


def _job(source: Random, number: int, restores: bool) -> JobPlan:
    def sometimes(chance: float, least: float, most: float) -> float:
        return source.uniform(least, most) if source.random() < chance else 0.0

    at = source.uniform(0.0, 12.0)
    ending = source.choices(("succeed", "fail", "hang"), (7, 1, 2 * (not restores)))[0]
    timeout = sometimes(0.15, 2.0, 15.0)
    cancels = []
    # A job that hangs must be cancelled or time out.
    if ending == "hang" or source.random() < 0.25:
        cancels = [
            (at + source.uniform(0.0, 15.0), source.choice((0.0, 0.5, 3.0)))
            for _ in range(source.randint(1, 2))
        ]
    key = source.choice(("", "", "k"))
    return JobPlan(
        name=f"j{number}",
        at=at,
        kind=source.choice(KINDS),
        owner=source.choice(("ann", "bob")),
        given_id=source.random() < 0.5,
        copies=source.choice((1, 1, 2)),
        parent=source.randrange(number) if number and source.random() < 0.2 else None,
        priority=source.choice((0, 0, 5, -5)),
        max_attempts=source.choice((0, 1, 2, 3, 4)),
        backoff=source.choice((0.0, 0.2, 2.0)),
        timeout=timeout,
        attempt_timeout=sometimes(0.1, 1.0, 6.0),
        start_deadline=sometimes(0.1, 1.0, 10.0),
        key=key,
        limit=source.randint(1, 2) if key else 0,
        cancels=tuple(cancels),
        watched=not restores and source.random() < 0.4,
        behaviour=Behaviour(
            steps=source.randint(0, 6) if not restores else 6,
            pace=source.choice((0.0, 0.05, 0.3, 1.0)) if not restores else 1.0,
            ending=ending,
            failing_attempts=source.choice((0, 0, 0, 1, 2)),
            stubborn=sometimes(0.25, 0.1, 6.0),
            completes=source.random() < 0.3,
        ),
    )
