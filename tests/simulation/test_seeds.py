"""Log, leases, dispatch and cancels in a world where everything fails, with time and chance derived from a seed.

To see the trace of a run: ``python -m tests.simulation SEED``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from tests.simulation.checks import OF_LOGS, violations
from tests.simulation.evidence import evidence_of, what_happened
from tests.simulation.scenario import FAULTS
from tests.simulation.world import run

# Seeds per test: enough for every expected situation to occur.
_BLOCK = 250

# Situations that must occur among the seeds, or the test proves nothing.
_TO_HAPPEN = (
    *(f"fault: {name}" for name in FAULTS),
    *("report", "acknowledged", "assignment", "resumed", "rejected", "release", "cancel", "drain"),
    *("attempt_ended FLAKY", "attempt_ended RELEASED", "attempt_ended WORKER_LOST"),
    *("job_ended SUCCEEDED", "job_ended FAILED", "job_ended LOST", "job_ended CANCELLED", "forced"),
)


def hold(seeds: Iterable[int]) -> None:
    """The rules hold in all these worlds, and the worlds exercised them."""
    happened: Counter[str] = Counter()
    broken: dict[int, list[str]] = {}
    for seed in seeds:
        evidence = evidence_of(run(seed))
        happened += what_happened(evidence)
        if found := violations(evidence):
            broken[seed] = found
    assert broken == {}
    assert [name for name in _TO_HAPPEN if not happened[name]] == []
    # Reports are in flight when the faults come.
    assert happened["acknowledged amid faults"] > _BLOCK


def test_the_rules_hold_in_many_worlds() -> None:
    """Whatever is cut, paused, killed or full: all guarantees hold, and every job ends."""
    hold(range(_BLOCK))


def test_every_job_ends_after_an_older_copy_was_restored() -> None:
    """Workers have acknowledgements of lost reports: they lose their leases, and others go on (rule 14)."""
    worlds = [evidence_of(run(seed, restores=True)) for seed in range(60)]

    broken = {world.run.seed: violations(world, OF_LOGS) for world in worlds}
    assert {seed: found for seed, found in broken.items() if found} == {}
    assert sum(world.record.counts["fault: restore disk"] for world in worlds) > 40


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(_BLOCK, 10_000, _BLOCK))
def test_the_rules_hold_in_ten_thousand_worlds(first: int) -> None:
    """The same with all other seeds up to ten thousand."""
    hold(range(first, first + _BLOCK))
