"""The server process: start, print the ready line, and serve until a signal stops it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine, Mapping
from typing import Any

import structlog

from milepost.server.runtime import open_files
from milepost.server.runtime.process import gc_tuning, heap_trimming, thread_switching
from milepost.server.runtime.process.loop_watchdog import LoopWatchdog
from milepost.server.runtime.process.surge_memory import SmallBlocks, SurgeMemory
from milepost.server.runtime.server import Server, Settings
from milepost.server.scheduling.loop_lag import LoopLag

__all__ = ["run"]

_logger = structlog.get_logger("milepost.server")


def run(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Raises:
        StoreFailed: The store has failed for good.
        DatabaseInUse, DirectoryInUse, SchemaTooNew, StreamRefused: The store cannot be opened.
        OSError: The address or the data directory cannot be used.
        sqlite3.Error: The database cannot be opened.
    """
    open_files.raise_limit()
    heap_trimming.limit_arenas()
    thread_switching.shorten()
    lag = LoopLag()
    watchdog = LoopWatchdog(lag, settings.loop_warning)
    with asyncio.Runner(loop_factory=watchdog.new_event_loop) as runner:
        runner.run(_serve(settings, lag, watchdog))


async def _serve(settings: Settings, lag: LoopLag, watchdog: LoopWatchdog) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = Server(settings, lag)
    collector = gc_tuning.IdleCollector()
    freeing = [asyncio.create_task(heap_trimming.keep_trimmed(collector.collect, server.evict_unused))]
    try:
        if not await _finishes_before(stop, server.start()):
            return
        gc_tuning.apply()
        freeing.append(asyncio.create_task(gc_tuning.scan_young()))
        if SmallBlocks.available():
            freeing.append(asyncio.create_task(SurgeMemory(SmallBlocks()).run()))
        watchdog.start()
        optional = {
            "health_address": server.health_address,
            "http": server.http,
            "metrics": server.metrics,
        }
        _print_ready_line(
            {"address": server.address, "epoch": server.epoch}
            | {name: address for name, address in optional.items() if address}
        )
        server.failed.add_done_callback(lambda _: stop.set())
        await stop.wait()
        if server.failed.done():
            raise server.failed.result()
    finally:
        watchdog.stop()
        for task in freeing:
            task.cancel()
        await server.stop()


async def _finishes_before(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Run the coroutine until it is done, or cancel it at the stop signal; whether it is done."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
        return working.done()
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


def _print_ready_line(values: Mapping[str, str]) -> None:
    """Write the ready line to stdout. If stdout is closed or full, log it instead and serve all the same."""
    try:
        sys.stdout.write(json.dumps(values) + "\n")
        sys.stdout.flush()
    except OSError as error:
        _logger.warning("the ready line could not be written to stdout", **values, error=str(error))
