"""The simulation finds planted bugs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulation.bugs import BUGS, leases_outlive_the_epoch
from tests.simulation.checks import OF_LOGS, violations
from tests.simulation.entropy import Change
from tests.simulation.evidence import evidence_of
from tests.simulation.world import run

# Like tests/mutants: it tests the tests.
pytestmark = pytest.mark.nightly

# Maximum number of worlds to try per bug; most show within ten, the rarest within two hundred.
_SEEDS = 500


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_found(bug: Callable[[], list[Change]]) -> None:
    """In worlds that violate no rule without the bug."""
    found = next((seed for seed in range(_SEEDS) if violations(evidence_of(run(seed, bug())))), None)

    assert found is not None
    assert violations(evidence_of(run(found))) == []


def test_a_lease_that_outlives_its_epoch_is_found() -> None:
    """In worlds with a restored older copy of the disk."""
    bug = leases_outlive_the_epoch

    found = next(
        (seed for seed in range(_SEEDS) if violations(evidence_of(run(seed, bug(), restores=True)), OF_LOGS)),
        None,
    )
    assert found is not None
