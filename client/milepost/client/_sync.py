"""The client for code without asyncio."""

from __future__ import annotations

import contextlib
import functools
import inspect
import re
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from types import GenericAlias, TracebackType
from typing import (
    Any,
    Concatenate,
    Final,
    Literal,
    ParamSpec,
    Self,
    TypeVar,
    Unpack,
    get_args,
    get_type_hints,
    overload,
)

from milepost.client._attach import Attached, SyncAttached
from milepost.client._client import Client
from milepost.client._options import ConnectionOptions, WatchOptions, describe_options
from milepost.client._sync_items import SyncItems
from milepost.client._transport.event_loop_thread import EventLoopThread
from milepost.client._watch.job_watch import Watch
from milepost.client._watch.jobs_watch import JobsWatch
from milepost.client._watch.sync_watch import SyncJobsWatch, SyncStateWatch, SyncSubscriptions, SyncWatch
from milepost.client._watch.watch_cursor import OnGap

__all__ = ["SyncClient", "SyncJobsWatch", "SyncStateWatch", "SyncSubscriptions", "SyncWatch"]

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


_Call = TypeVar("_Call", bound=Callable[..., Any])

_ASYNC: Final = re.compile(r"\b(?:async (?=(?:with|for)\b)|await )")


def _without_asyncio(method: Callable[..., Any], *, returns: object = None) -> Callable[[_Call], _Call]:
    """Give a method the name, parameters and documentation of one of `Client`, without the words of asyncio.

    `help` and editors then show what it returns, and examples to copy.
    """

    def decorate(call: _Call) -> _Call:
        functools.update_wrapper(call, method)
        if returns is not None:
            # A new dict: update_wrapper shares the one of the method.
            call.__annotations__ = {**method.__annotations__, "return": returns}
            vars(call)["__signature__"] = inspect.signature(method).replace(return_annotation=returns)
        call.__module__, call.__qualname__ = __name__, f"SyncClient.{method.__name__}"
        call.__doc__ = _ASYNC.sub("", inspect.cleandoc(method.__doc__ or ""))
        return call

    return decorate


def _blocking(
    method: Callable[Concatenate[Client, _Parameters], Coroutine[Any, Any, _Result]],
) -> Callable[Concatenate[SyncClient, _Parameters], _Result]:
    """The same method, blocking until its result is there."""

    @_without_asyncio(method)
    def call(self: SyncClient, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        return self._loop_thread.run(method(self._client, *args, **kwargs))

    return call


def _iterating(
    method: Callable[Concatenate[Client, _Parameters], AsyncGenerator[_Result, None]],
) -> Callable[Concatenate[SyncClient, _Parameters], SyncItems[_Result]]:
    """The same method as a plain iterator."""
    item, _ = get_args(get_type_hints(method)["return"])

    @_without_asyncio(method, returns=GenericAlias(Iterator, (item,)))
    def call(
        self: SyncClient, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> SyncItems[_Result]:
        return SyncItems(method(self._client, *args, **kwargs), self._loop_thread)

    return call


def _watching(
    method: Callable[Concatenate[Client, _Parameters], JobsWatch],
) -> Callable[Concatenate[SyncClient, _Parameters], SyncJobsWatch]:
    """The same method as a plain iterator."""

    @_without_asyncio(method, returns=SyncJobsWatch)
    def call(self: SyncClient, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs) -> SyncJobsWatch:
        return SyncJobsWatch(method(self._client, *args, **kwargs), self._loop_thread)

    return call


def _attaching(
    method: Callable[Concatenate[Client, _Parameters], Attached],
) -> Callable[Concatenate[SyncClient, _Parameters], SyncAttached]:
    """The same method, for a plain ``with``; see `SyncClient`."""

    @_without_asyncio(method, returns=SyncAttached)
    def call(self: SyncClient, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs) -> SyncAttached:
        return SyncAttached(method(self._client, *args, **kwargs), self._loop_thread)

    return call


class SyncClient:
    """The methods of `Client` for code without asyncio: calls block, and watches are plain iterators.

    A context manager. Several threads may share it, and so may both sides of a fork during which no call, watch or
    block of it is in progress::

        with SyncClient("127.0.0.1:7070") as client:
            job = client.submit("archive", {"path": "/srv/photos", "output": "/srv/photos.tar.zst"})
            for event in client.watch(job.job_id):
                print(event.sequence, event.WhichOneof("payload"))
            print(client.result(job.job_id))

    The SDK does not interrupt the blocks of `attach` and `start` when their job is cancelled: they check for
    themselves, with ``job.cancelled``, ``job.raise_if_cancelled()``, or ``stage.track(...)``.
    """

    @describe_options
    def __init__(
        self, address: str | None = None, *, timeout: float = 30.0, **options: Unpack[ConnectionOptions]
    ) -> None:
        """See `Client`; a callable for tokens is called in another thread.

        Args:
            address: Server address as ``host:port``.
            timeout: Timeout in seconds of each call, of a watch's first connection, and of a node that lags behind a
                watch's cursor.
            options: See `ConnectionOptions`.
        """
        self._client = Client(address, timeout=timeout, **options)
        self._loop_thread = EventLoopThread()

    @property
    def address(self) -> str:
        """Address of the server."""
        return self._client.address

    submit = _blocking(Client.submit)
    get = _blocking(Client.get)
    waiting = _blocking(Client.waiting)
    cancel = _blocking(Client.cancel)
    delete = _blocking(Client.delete)
    share = _blocking(Client.share)
    revoke_shares = _blocking(Client.revoke_shares)
    whoami = _blocking(Client.whoami)
    history = _blocking(Client.history)
    result = _blocking(Client.result)
    watch_jobs = _watching(Client.watch_jobs)
    list = _iterating(Client.list)
    workers = _iterating(Client.workers)
    follow = _iterating(Client.follow)
    attach = _attaching(Client.attach)
    start = _attaching(Client.start)

    @overload
    def watch(
        self,
        job_id: str,
        *,
        snapshot: Literal[False] = False,
        on_gap: Literal["raise"] = "raise",
        **options: Unpack[WatchOptions],
    ) -> SyncWatch: ...

    @overload
    def watch(
        self, job_id: str, *, snapshot: bool = False, on_gap: OnGap = "raise", **options: Unpack[WatchOptions]
    ) -> SyncStateWatch: ...

    def watch(
        self, job_id: str, *, snapshot: bool = False, on_gap: OnGap = "raise", **options: Unpack[WatchOptions]
    ) -> SyncWatch | SyncStateWatch:
        """See `Client.watch`. It calls `on_state` and `on_waiting` in a thread where this client cannot be used."""
        watch = self._client.watch(job_id, snapshot=snapshot, on_gap=on_gap, **options)
        if isinstance(watch, Watch):
            return SyncWatch(watch, self._loop_thread)
        return SyncStateWatch(watch, self._loop_thread)

    def subscriptions(self) -> SyncSubscriptions:
        """See `Client.subscriptions`."""
        return SyncSubscriptions(self._client.subscriptions(), self._loop_thread)

    def close(self) -> None:
        """Close the connection, and end all calls and watches on it. Jobs continue."""
        with contextlib.suppress(RuntimeError):  # closed before
            self._loop_thread.run(self._client.close())
        self._loop_thread.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
