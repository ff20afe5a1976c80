"""The Python SDK of Milepost: submit, follow and cancel jobs, and run workers for them.

    from milepost.client import Client, Worker

`Client` submits and follows jobs, `SyncClient` does so without asyncio, and `Worker` runs handlers for jobs.
"""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from milepost.client._attach import AttachedJob
    from milepost.client._client import Client
    from milepost.client._job_snapshot import JobSnapshot
    from milepost.client._message_json import to_json
    from milepost.client._sync import SyncClient, SyncJobsWatch, SyncStateWatch, SyncSubscriptions, SyncWatch
    from milepost.client._watch.connection_state import Connection
    from milepost.client._watch.job_watch import StateWatch, Watch
    from milepost.client._watch.jobs_cursor import Gap
    from milepost.client._watch.jobs_watch import JobsWatch
    from milepost.client._watch.subscriptions import Ended, Subscriptions
    from milepost.client._worker import Cancelled, JobContext, StageContext, Worker
    from milepost.client._worker.current_job import current_job
    from milepost.client.errors import JobFailure, MilepostError

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
    "current_job",
    "to_json",
]

# Names are imported lazily, so that the command's help and shell completion do not load gRPC.
_MODULES: Final = {
    "_attach": ("AttachedJob",),
    "_client": ("Client",),
    "_watch.connection_state": ("Connection",),
    "_message_json": ("to_json",),
    "errors": ("JobFailure", "MilepostError"),
    "_job_snapshot": ("JobSnapshot",),
    "_watch.subscriptions": ("Ended", "Subscriptions"),
    "_sync": ("SyncClient", "SyncJobsWatch", "SyncStateWatch", "SyncSubscriptions", "SyncWatch"),
    "_watch.job_watch": ("StateWatch", "Watch"),
    "_watch.jobs_cursor": ("Gap",),
    "_watch.jobs_watch": ("JobsWatch",),
    "_worker": ("Cancelled", "JobContext", "StageContext", "Worker"),
    "_worker.current_job": ("current_job",),
}
_MODULE_OF: Final = {name: module for module, names in _MODULES.items() for name in names}


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        exported = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = exported
        return exported


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
