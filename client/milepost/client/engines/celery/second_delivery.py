"""Messages of tasks that come again: the broker took the first delivery for lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from milepost.client.engines.celery.task_with_job import TaskWithJob

if TYPE_CHECKING:
    from celery.app.task import Context

__all__ = ["is_redelivered", "publish_later"]

_REPEATED: Final = "milepost-repeated"


def is_redelivered(request: Context) -> bool:
    """Whether the broker delivers this message again, or `publish_later` has published it."""
    delivery: Any = request.delivery_info or {}
    return bool(delivery.get("redelivered") or (request.headers or {}).get(_REPEATED))


def publish_later(task: TaskWithJob[..., Any], request: Context, delay: float) -> None:
    """Publish a task once more as it is, with the same retries, to start in `delay` seconds.

    Raises:
        OperationalError: The broker is away. The message at hand is still unacknowledged then.
    """
    signature = task.signature_from_request(request, countdown=delay, retries=request.retries)
    signature.set(headers={**(request.headers or {}), _REPEATED: "1"})
    signature.apply_async()
