"""Connects a Celery application to its Milepost server."""

from __future__ import annotations

from typing import Any, Final, Unpack

from celery import Celery, signals

from milepost.client._arguments import check_names, check_seconds
from milepost.client._options import ConnectionOptions, describe_options
from milepost.client.engines.celery.execution_pool import MilepostStep
from milepost.client.engines.celery.installation import Installation, register
from milepost.client.engines.celery.parent_reports import ParentReports
from milepost.client.engines.celery.task_client import TaskClient
from milepost.client.engines.celery.tracked_request import cancel_revoked, fail_unknown

__all__ = ["install"]

DEFAULT_TIMEOUT: Final = 1.0
DEFAULT_FLUSH_TIMEOUT: Final = 2.0
DEFAULT_REDELIVERY_DELAY: Final = 30.0


@describe_options
def install(
    app: Celery[Any],
    address: str | None = None,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    flush_timeout: float = DEFAULT_FLUSH_TIMEOUT,
    redelivery_delay: float = DEFAULT_REDELIVERY_DELAY,
    **options: Unpack[ConnectionOptions],
) -> None:
    """Give the tasks of `app` whose base class is `MilepostTask` jobs on a Milepost server.

    Connects nothing: each process does, when it publishes or starts its first task. A server that is away costs a
    publication at most `timeout`, once in ten seconds, and a task at most `timeout` at its start and `flush_timeout`
    at its end. Nothing that goes wrong with Milepost changes the outcome of a task.

    The parent of a prefork pool uses a helper process, which takes `options` that JSON has: with a callable as the
    token, it uses MILEPOST_TOKEN or MILEPOST_TOKEN_FILE.

    Args:
        app: The application.
        address: Server address as ``host:port``. Default: MILEPOST_ADDRESS, else ``127.0.0.1:7070``.
        timeout: Seconds for the server to answer a publication, and to answer the claim when a task starts.
        flush_timeout: Seconds for the server to acknowledge the last reports when a task ends.
        redelivery_delay: Seconds until a task that was delivered again while it still runs elsewhere is tried again.
        options: See `ConnectionOptions`.

    Raises:
        InsecureToken: The token would travel unencrypted beyond this machine.
        TypeError: A value has the wrong type, or there is no such option.
        ValueError: A number of seconds is negative or not finite, the text cannot be a token, or there is a
            certificate without its key.
    """
    if address is not None and not isinstance(address, str):
        raise TypeError(f"address is {address!r}, and takes text such as '127.0.0.1:7070'.")
    check_seconds(timeout=timeout, flush_timeout=flush_timeout, redelivery_delay=redelivery_delay)
    check_names(options, ConnectionOptions, "install")
    client = TaskClient(address, timeout, options)
    helper_options = {name: value for name, value in options.items() if isinstance(value, str | bool)}
    paths = {name: str(value) for name, value in options.items() if name.startswith("tls_") and value}
    reports = ParentReports({"address": client.address, **helper_options, **paths})
    register(app, Installation(client, reports, flush_timeout, redelivery_delay))
    app.steps["worker"].add(MilepostStep)
    signals.task_revoked.connect(cancel_revoked, weak=False, dispatch_uid="milepost")
    signals.task_unknown.connect(fail_unknown, weak=False, dispatch_uid="milepost")
