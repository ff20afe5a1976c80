"""Jobs that other engines run: any code claims one for as long as a block lasts, and tells of it as a handler does."""

from milepost.client.attaching.attached import Attached, SyncAttached
from milepost.client.attaching.calls import Attaching
from milepost.client.attaching.job import AttachedJob

__all__ = ["Attached", "AttachedJob", "Attaching", "SyncAttached"]
