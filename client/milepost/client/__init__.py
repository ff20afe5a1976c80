"""The SDK of Milepost: submit jobs, follow them, cancel them, and do their work.

    from milepost.client import Client, Worker

`Client` is for those who submit and follow, `SyncClient` is the same without asyncio, and `Worker` does the work.
"""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from milepost.client.attaching import AttachedJob
    from milepost.client.client import Client
    from milepost.client.connection import Connection
    from milepost.client.conversion import to_json
    from milepost.client.errors import JobFailure, MilepostError
    from milepost.client.snapshot import JobSnapshot
    from milepost.client.subscriptions import Ended, Subscriptions
    from milepost.client.sync import SyncClient, SyncJobsWatch, SyncStateWatch, SyncSubscriptions, SyncWatch
    from milepost.client.watching import StateWatch, Watch
    from milepost.client.watching_jobs import Gap, JobsWatch
    from milepost.client.worker import Cancelled, JobContext, StageContext, Worker

__all__ = [
    "AttachedJob",
    "Cancelled",
    "Client",
    "Connection",
    "Ended",
    "Gap",
    "JobContext",
    "JobFailure",
    "JobSnapshot",
    "JobsWatch",
    "MilepostError",
    "StageContext",
    "StateWatch",
    "Subscriptions",
    "SyncClient",
    "SyncJobsWatch",
    "SyncStateWatch",
    "SyncSubscriptions",
    "SyncWatch",
    "Watch",
    "Worker",
    "to_json",
]

# Each name is imported when it is first used: the command's help and its shell completion need no gRPC.
_MODULES: Final = {
    "attaching": ("AttachedJob",),
    "client": ("Client",),
    "connection": ("Connection",),
    "conversion": ("to_json",),
    "errors": ("JobFailure", "MilepostError"),
    "snapshot": ("JobSnapshot",),
    "subscriptions": ("Ended", "Subscriptions"),
    "sync": ("SyncClient", "SyncJobsWatch", "SyncStateWatch", "SyncSubscriptions", "SyncWatch"),
    "watching": ("StateWatch", "Watch"),
    "watching_jobs": ("Gap", "JobsWatch"),
    "worker": ("Cancelled", "JobContext", "StageContext", "Worker"),
}
_HOMES: Final = {name: module for module, names in _MODULES.items() for name in names}


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
