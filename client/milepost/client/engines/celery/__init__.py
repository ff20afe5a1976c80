"""Jobs for Celery tasks: ``pip install 'milepost-client[celery]'``.

A task of the base class `MilepostTask` has a job from its publication to its end; `install` connects an application to
its Milepost server::

    app = Celery("studio", broker="redis://…", task_cls=MilepostTask)
    install(app, "127.0.0.1:7070")
"""

from milepost.client.engines.celery.application import install
from milepost.client.engines.celery.canvas_job import CanvasJob, publish_canvas
from milepost.client.engines.celery.milepost_task import MilepostTask
from milepost.client.engines.celery.task_with_job import TaskOptions

__all__ = ["CanvasJob", "MilepostTask", "TaskOptions", "install", "publish_canvas"]
