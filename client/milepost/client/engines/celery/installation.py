"""Connects a Celery application to its Milepost server."""

from __future__ import annotations

import weakref
from typing import Any, Final, Unpack

from celery import Celery

from milepost.client._options import ConnectionOptions, describe_options
from milepost.client.engines.celery.task_client import TaskClient

__all__ = ["Installation", "install", "installation_of"]

DEFAULT_TIMEOUT: Final = 1.0
DEFAULT_FLUSH_TIMEOUT: Final = 2.0


class Installation:
    """What the tasks of one application share.

    Attributes:
        client: Submits and claims their jobs.
        flush_timeout: Seconds for the server to acknowledge the last reports of a task.
    """

    def __init__(self, client: TaskClient, flush_timeout: float) -> None:
        self.client = client
        self.flush_timeout = flush_timeout


_installations: Final[weakref.WeakKeyDictionary[Celery[Any], Installation]] = weakref.WeakKeyDictionary()


@describe_options
def install(
    app: Celery[Any],
    address: str | None = None,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    flush_timeout: float = DEFAULT_FLUSH_TIMEOUT,
    **options: Unpack[ConnectionOptions],
) -> None:
    """Give the tasks of `app` whose base class is `MilepostTask` jobs on a Milepost server.

    Connects nothing: each process does, when it publishes or starts its first task. A server that is away costs a
    publication at most `timeout`, once in ten seconds, and a task at most `timeout` at its start and `flush_timeout`
    at its end. Nothing that goes wrong with Milepost changes the outcome of a task.

    Args:
        app: The application.
        address: Server address as ``host:port``. Default: MILEPOST_ADDRESS, else ``127.0.0.1:7070``.
        timeout: Seconds for the server to answer a publication, and to answer the claim when a task starts.
        flush_timeout: Seconds for the server to acknowledge the last reports when a task ends.
        options: See `ConnectionOptions`.

    Raises:
        InsecureToken: The token would travel unencrypted beyond this machine.
        ValueError: The text cannot be a token, or there is a certificate without its key.
    """
    _installations[app] = Installation(TaskClient(address, timeout, options), flush_timeout)


def installation_of(app: Celery[Any]) -> Installation | None:
    """What `install` set up for `app`; None if it was not called."""
    return _installations.get(app)
