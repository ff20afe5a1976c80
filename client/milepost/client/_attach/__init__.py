"""Jobs that other engines run: any code claims one for as long as a block lasts, and tells of it as a handler does."""

from milepost.client._attach.attach_block import Attached, SyncAttached
from milepost.client._attach.attach_calls import Attaching
from milepost.client._attach.attached_job import AttachedJob

__all__ = ["Attached", "AttachedJob", "Attaching", "SyncAttached"]
