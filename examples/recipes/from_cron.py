"""A cron script: each run is a job, at most one at a time, and it runs without Milepost as well.

In a crontab: ``0 3 * * * MILEPOST_ADDRESS=… python -m examples.recipes.from_cron``
"""

from __future__ import annotations

import json
import sys
from typing import Any

from examples.recipes.pages import convert
from milepost.client import Cancelled, SyncClient
from milepost.client.errors import LimitReached


def main(input_values: dict[str, Any]) -> int:
    """Run the script; return its exit status."""
    try:
        with (
            SyncClient(timeout=5) as client,
            client.start(
                "convert", input_values, concurrency_key="nightly", on_unreachable="go on", flush_timeout=5
            ) as job,
        ):
            print(job.id, flush=True)
            job.result = convert(job)
    except LimitReached:
        print("The run before this one has not ended yet.", file=sys.stderr)
    except Cancelled:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]) if sys.argv[1:] else {"pages": 5, "seconds": 1}))
