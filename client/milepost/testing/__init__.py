"""Test doubles: run a handler without a server, a worker without handlers, and a server in memory.

    from milepost.testing import FakeWorker, MemoryServer, run_handler

`run_handler` calls a handler and records its reports. `MemoryServer` is a real server on a log in memory; it needs the
distribution milepost-server. `FakeWorker` takes jobs from a server, and the test decides how they end.
"""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from milepost.testing._fake_worker import FakeJob, FakeWorker, SyncFakeWorker
    from milepost.testing._handler_run import HandlerRun
    from milepost.testing._memory_server import MemoryServer
    from milepost.testing._run_handler import run_handler, run_handler_async

__all__ = [
    "FakeJob",
    "FakeWorker",
    "HandlerRun",
    "MemoryServer",
    "SyncFakeWorker",
    "run_handler",
    "run_handler_async",
]

_MODULES: Final = {
    "FakeJob": "_fake_worker",
    "FakeWorker": "_fake_worker",
    "HandlerRun": "_handler_run",
    "MemoryServer": "_memory_server",
    "SyncFakeWorker": "_fake_worker",
    "run_handler": "_run_handler",
    "run_handler_async": "_run_handler",
}

if not TYPE_CHECKING:
    # Imported on first use, since only `MemoryServer` needs milepost-server.
    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
