"""Shows the runs of seeds: `python -m tests.simulation SEED ...` prints the trace of each, and what does not hold."""

from __future__ import annotations

import sys

from tests.simulation.checks import violations
from tests.simulation.evidence import evidence_of
from tests.simulation.world import run

for seed in sys.argv[1:]:
    found = run(int(seed))
    print(f"=== {seed}", *found.record.trace, *violations(evidence_of(found)), sep="\n")
