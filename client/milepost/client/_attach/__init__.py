"""Jobs that another engine runs: a block of any code claims one, holds its lease and reports like a handler."""

from milepost.client._attach.attach_block import Attached, SyncAttached
from milepost.client._attach.attach_calls import AttachCalls
from milepost.client._attach.attached_job import AttachedJob
from milepost.client._attach.kept_session import KeptSession

__all__ = ["AttachCalls", "Attached", "AttachedJob", "KeptSession", "SyncAttached"]
