"""Code with progress bars, unaware of Milepost except for the import of tqdm, and handlers that call it."""

from __future__ import annotations

import logging

from milepost.client import JobContext
from milepost.client.logging import JobHandler
from milepost.client.tqdm import tqdm, trange

_logger = logging.getLogger("tests.code_with_bars")
_logger.addHandler(JobHandler())
_logger.setLevel(logging.INFO)
_logger.propagate = False


def compute() -> int:
    """Compute with nested bars and log lines."""
    total = 0
    for epoch in trange(2, desc="epochs"):
        with tqdm(total=3, desc="batches", unit="rows") as bar:
            for number in range(3):
                total += number
                bar.update()
                bar.set_postfix(total=total)
        _logger.info("epoch %d", epoch)
    return total


def plain(job: JobContext) -> dict[str, int]:
    """Call ``compute`` from a thread or a process."""
    return {"total": compute()}


async def in_loop(job: JobContext) -> dict[str, int]:
    """Call ``compute`` from the event loop of the worker or of a process."""
    return {"total": compute()}
