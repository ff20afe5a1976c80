"""`python -m tests.simulation SEED ...` prints the trace of each run, and the violated rules."""

from __future__ import annotations

import sys

from tests.simulation.checks import violations
from tests.simulation.evidence import evidence_of
from tests.simulation.world import run

for seed in sys.argv[1:]:
    found = run(int(seed))
    print(f"=== {seed}", *found.record.trace, *violations(evidence_of(found)), sep="\n")
