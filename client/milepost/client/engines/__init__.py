"""Engines that run jobs in Milepost's place: Celery, Hatchet. Each is an extra of `milepost-client`.

The engine keeps its queue, its retries and its results; Milepost shows the progress of what it runs, and cancels it.
`Pipeline` has functions that are written once, and run by the engine that the configuration names::

    from milepost.client.engines import Pipeline, is_shadow
"""

from milepost.client.engines.labels import is_shadow
from milepost.client.engines.pipeline import Pipeline

__all__ = ["Pipeline", "is_shadow"]
