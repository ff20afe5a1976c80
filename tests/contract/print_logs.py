"""Print logs with the jobs that they make, for the folds in other languages: one JSON object a line.

    python -m tests.contract.print_logs COUNT

Each has ``events`` and ``job`` as the vectors do. The same ones come out each time.
"""

from __future__ import annotations

import json
import sys

from google.protobuf import json_format
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from milepost.fold import fold
from milepost.v1 import Event
from tests.contract.logs import logs, parts


def main() -> None:
    """Print as many logs as the first argument says."""

    @settings(
        max_examples=int(sys.argv[1]),
        phases=[Phase.generate],
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.one_of(logs(), parts()))
    def print_log(log: list[Event]) -> None:
        events = [json_format.MessageToDict(event) for event in log]
        print(json.dumps({"events": events, "job": json_format.MessageToDict(fold(log))}))

    print_log()


if __name__ == "__main__":
    main()
