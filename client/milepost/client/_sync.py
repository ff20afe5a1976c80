"""The client for code without asyncio."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import re
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
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
from milepost.client._options import WatchOptions
from milepost.client._transport.event_loop_thread import EventLoopThread
from milepost.client._watch.job_cursor import OnGap
from milepost.client._watch.job_watch import Watch
from milepost.client._watch.jobs_watch import JobsWatch
from milepost.client._watch.sync_watch import SyncJobsWatch, SyncStateWatch, SyncSubscriptions, SyncWatch

__all__ = ["SyncClient", "SyncJobsWatch", "SyncStateWatch", "SyncSubscriptions", "SyncWatch"]

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


_Call = TypeVar("_Call", bound=Callable[..., Any])

_ASYNC: Final = re.compile(r"\b(?:async (?=(?:with|for)\b)|await )")


def _plainly(verb: Callable[..., Any], *, returns: object = None) -> Callable[[_Call], _Call]:
    """Gives a call the name, the parameters and the documentation of a verb of `Client`, for code without asyncio.

    So `help` and editors show what is returned here, and examples that can be copied.
    """

    def decorate(call: _Call) -> _Call:
        functools.update_wrapper(call, verb)
        if returns is not None:
            call.__annotations__ = {**verb.__annotations__, "return": returns}  # not those of the verb itself
            vars(call)["__signature__"] = inspect.signature(verb).replace(return_annotation=returns)
        call.__module__, call.__qualname__ = __name__, f"SyncClient.{verb.__name__}"
        call.__doc__ = _ASYNC.sub("", inspect.cleandoc(verb.__doc__ or ""))
        return call

    return decorate


def _waits(
    verb: Callable[Concatenate[Client, _Parameters], Coroutine[Any, Any, _Result]],
) -> Callable[Concatenate[SyncClient, _Parameters], _Result]:
    """The same verb, which waits for its result."""

    @_plainly(verb)
    def call(self: SyncClient, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        return self._background.run(verb(self._client, *args, **kwargs))

    return call


def _iterates(
    verb: Callable[Concatenate[Client, _Parameters], AsyncGenerator[_Result, None]],
) -> Callable[Concatenate[SyncClient, _Parameters], Generator[_Result, None, None]]:
    """The same verb as a plain generator."""
    item, _ = get_args(get_type_hints(verb)["return"])

    @_plainly(verb, returns=GenericAlias(Iterator, (item,)))
    def call(
        self: SyncClient, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> Generator[_Result, None, None]:
        items = verb(self._client, *args, **kwargs)
        try:
            while item := self._background.run(_next(items)):
                yield from item
        finally:
            with contextlib.suppress(RuntimeError):  # the client may be closed by now
                self._background.run(items.aclose())

    return call


def _watches(
    verb: Callable[Concatenate[Client, _Parameters], JobsWatch],
) -> Callable[Concatenate[SyncClient, _Parameters], SyncJobsWatch]:
    """The same verb as a plain iterator."""

    @_plainly(verb, returns=SyncJobsWatch)
    def call(self: SyncClient, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs) -> SyncJobsWatch:
        return SyncJobsWatch(verb(self._client, *args, **kwargs), self._background)

    return call


def _attaches(
    verb: Callable[Concatenate[Client, _Parameters], Attached],
) -> Callable[Concatenate[SyncClient, _Parameters], SyncAttached]:
    """The same verb for a plain ``with``; see `SyncClient`."""

    @_plainly(verb, returns=SyncAttached)
    def call(self: SyncClient, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs) -> SyncAttached:
        return SyncAttached(verb(self._client, *args, **kwargs), self._background)

    return call


class SyncClient:
    """The verbs of `Client` for code without asyncio: they wait, and what they iterate is iterated plainly.

    A context manager. It may be used from several threads, and on both sides of a fork that happens while no call,
    watch or block of it is under way::

        with SyncClient("127.0.0.1:7070") as client:
            job = client.submit("archive", {"path": "/srv/photos", "output": "/srv/photos.tar.zst"})
            for event in client.watch(job.job_id):
                print(event.sequence, event.WhichOneof("payload"))
            print(client.result(job.job_id))

    The blocks of `attach` and `start` are not interrupted when their job is to stop: they look for themselves, with
    ``job.cancelled``, ``job.raise_if_cancelled()``, or ``stage.track(...)``.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        token: str | None = None,
        tls: bool = False,
        tls_ca: str | os.PathLike[str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        """See `Client`."""
        self._client = Client(address, token=token, tls=tls, tls_ca=tls_ca, timeout=timeout)
        self._background = EventLoopThread()

    @property
    def address(self) -> str:
        """Where the server is."""
        return self._client.address

    submit = _waits(Client.submit)
    get = _waits(Client.get)
    waiting = _waits(Client.waiting)
    cancel = _waits(Client.cancel)
    delete = _waits(Client.delete)
    result = _waits(Client.result)
    watch_jobs = _watches(Client.watch_jobs)
    list = _iterates(Client.list)
    workers = _iterates(Client.workers)
    follow = _iterates(Client.follow)
    attach = _attaches(Client.attach)
    start = _attaches(Client.start)

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
        """See `Client.watch`. `on_state` and `on_waiting` are called in another thread."""
        watch = self._client.watch(job_id, snapshot=snapshot, on_gap=on_gap, **options)
        if isinstance(watch, Watch):
            return SyncWatch(watch, self._background)
        return SyncStateWatch(watch, self._background)

    def subscriptions(self) -> SyncSubscriptions:
        """See `Client.subscriptions`."""
        return SyncSubscriptions(self._client, self._background)

    def close(self) -> None:
        """Ends the connection and all calls and watches on it. Jobs go on."""
        with contextlib.suppress(RuntimeError):  # it was closed before
            self._background.run(self._client.close())
        self._background.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


async def _next(items: AsyncGenerator[_Result, None]) -> tuple[_Result, ...]:
    """The next item; none at the end."""
    async for item in items:
        return (item,)
    return ()
