"""Options of the calls of `Client`, each described once: `Client`, `SyncClient` and `Subscriptions` share them."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias, TypedDict, TypeVar

from milepost.client._transport.target import FilePath
from milepost.client._transport.token_source import Token
from milepost.client._watch.connection_state import Connection
from milepost.v1 import JobState, Retention, RetryPolicy, Stage, Waiting

__all__ = [
    "AttachOptions",
    "ConnectionOptions",
    "JobQuery",
    "JobsWatchOptions",
    "OnLost",
    "OnUnreachable",
    "StreamOptions",
    "SubmitOptions",
    "WatchOptions",
    "describe_options",
    "documented_by",
]

_Method = TypeVar("_Method", bound=Callable[..., Any])

_REFERENCE: Final = re.compile(r"^    \w+: See (?:`\w+`(?:,| and)? ?)+\.$", re.MULTILINE)
_NAME: Final = re.compile(r"`(\w+)`")

OnUnreachable: TypeAlias = Literal["raise", "go on"]
"""What a block does if the server is unreachable when the block is entered."""

OnLost: TypeAlias = Literal["raise", "go on"]
"""What a block does when its job is taken from it."""


class ConnectionOptions(TypedDict, total=False):
    """Options of `Client`, `SyncClient` and `Worker`.

    Attributes:
        token: Bearer token, or a callable that returns one: a coroutine function, or a plain one, which runs in a
            thread. It is called on first use, and again once the server refuses the token, as it does when that has
            expired. Default: MILEPOST_TOKEN, else the content of the file MILEPOST_TOKEN_FILE.
        tls: Encrypt the connection, and verify the server's name. Default: MILEPOST_TLS.
        tls_ca: PEM file of trusted certificates; implies `tls`. Default: MILEPOST_TLS_CA, else the system's.
        tls_cert: PEM file of this client's certificate; implies `tls`. Default: MILEPOST_TLS_CLIENT_CERT.
        tls_key: PEM file of its private key. Default: MILEPOST_TLS_CLIENT_KEY.
        allow_plaintext_token: Let the token travel unencrypted beyond this machine. Default:
            MILEPOST_ALLOW_PLAINTEXT_TOKEN.
    """

    token: Token | None
    tls: bool
    tls_ca: FilePath | None
    tls_cert: FilePath | None
    tls_key: FilePath | None
    allow_plaintext_token: bool


class SubmitOptions(TypedDict, total=False):
    """Options of `Client.submit` and `Client.start`. Durations are in seconds, or a `timedelta`.

    Attributes:
        job_id: The job's id. Default: the server generates one.
        request_id: Idempotency key: the same request_id and content return the same job again. Default: the SDK
            generates one, so that its own retries are safe.
        owner: Owner of the job. Default: that of the parent, or else of the credential, if it has only one.
        labels: Labels to filter lists and watches by.
        parent_job_id: The parent job. Cancelling the parent cancels this job.
        stages: The planned stages: ids, or messages with weight, total and title. `fraction_known` is true only for a
            job with planned stages, given here or by `JobContext.plan`.
        planned_children: Number of children that a job without stages will have; 0 for unknown.
        workload: The job's size in `workload_unit`, for estimates; 0 for unknown.
        workload_unit: What `workload` counts, such as ``"bytes"``.
        timeout: Maximum time from the start of the first attempt; None for no limit.
        attempt_timeout: Maximum time of one attempt; None for no limit.
        retry_policy: When another attempt follows a failed one; None for a single attempt. While attempts are left,
            the server retries exceptions, crashed processes and lost workers; a `JobFailure` only if it is retryable or
            ``retryable_codes`` lists its code; none whose code ``final_codes`` lists.
        priority: Queued jobs of a kind start in order of descending priority; -1,000 to 1,000.
        concurrency_key: Jobs with the same owner and key share a concurrency limit; empty for none.
        concurrency_limit: Maximum running jobs of that key for this one to start; 0 with a key means 1.
        retention: How long to keep the job and its events. Default: the server's.
    """

    job_id: str
    request_id: str
    owner: str
    labels: Mapping[str, str] | None
    parent_job_id: str
    stages: Sequence[Stage | str]
    planned_children: int
    workload: float
    workload_unit: str
    timeout: float | timedelta | None
    attempt_timeout: float | timedelta | None
    retry_policy: RetryPolicy | None
    priority: int
    concurrency_key: str
    concurrency_limit: int
    retention: Retention | None


class AttachOptions(TypedDict, total=False):
    """Options of `Client.attach` and `Client.start`.

    Attributes:
        wait: Seconds to wait while another process holds the job, until its attempt ends or its lease expires, or while
            the job's concurrency key is at its limit. None: fail at once, or, with an `instance`, after 5 s.
        instance: Identifies the work across restarts: text of at most 128 characters that only this work knows, such as
            the id of a Celery task, which a retry or a redelivered message keeps. A block takes over at once a job that
            an earlier block of the same instance still holds; the earlier block, if it still runs, gets `LeaseLost`.
            Default: random, so that no block takes over.
        on_unreachable: What to do if the server is unreachable on entry, or fails without a reason: ``"raise"``, or
            ``"go on"``: run the block without a server and log a warning. The job then has no more than its id, and
            after `start` its kind and input. If the server comes back before the block ends, or within the flush
            timeout after that, the SDK claims the job and sends all reports; otherwise it drops them and logs that.
        on_lost: What to do when the lease expires, others end the job, or the server no longer accepts the token:
            interrupt the block and ``"raise"`` the error, or ``"go on"``: run the block to its end without reporting,
            and log a warning. A cancellation of the job interrupts the block either way.
        worker_id: Name of this process, at most 128 characters. Default: host name and process id.
        flush_timeout: Seconds to wait, when the block ends, for the server to acknowledge the remaining reports.
        spool: Directory for reports that the server did not acknowledge; the next block or worker that uses the
            directory sends them. Default: MILEPOST_SPOOL; without it the SDK drops such reports and logs that.
    """

    wait: float | timedelta | None
    instance: str | None
    on_unreachable: OnUnreachable
    on_lost: OnLost
    worker_id: str | None
    flush_timeout: float
    spool: str | os.PathLike[str] | None


class JobQuery(TypedDict, total=False):
    """Filter of `Client.list` and `Client.watch_jobs`; a job matches if it meets every condition that is given.

    Attributes:
        owner: Jobs of this owner; empty for any.
        kinds: Jobs of one of these kinds; empty for any.
        labels: Jobs with all of these labels.
        parent_job_id: This job and its children; empty for any.
        job_ids: Jobs with one of these ids; empty for any.
        states: Jobs in one of these states, as ``"failed"`` or `JobState`; empty for any. A watch includes the change
            that ends a match.
    """

    owner: str
    kinds: Iterable[str]
    labels: Mapping[str, str] | None
    parent_job_id: str
    job_ids: Iterable[str]
    states: Iterable[JobState.ValueType | str]


class StreamOptions(TypedDict, total=False):
    """Options of `Client.watch` and `Client.watch_jobs`.

    Attributes:
        epoch: The epoch that `after` belongs to, from the watch's `epoch`; empty: do not check it.
        latest: Start with the next event.
        payloads: Names of the payloads to yield, such as ``"stage_ended"``; empty for all.
        stages: Yield events of these stages, and events that belong to no stage; empty for all.
        latest_progress: Yield only the newest progress of each stage, which is enough for a progress bar.
        follow: Keep following; False: stop after the events that exist now.
        status_interval: Interval in seconds, 1 to 3,600, at which the server sends a status on an idle stream; None
            for 10. The watch reconnects after a silence of two and a half intervals and 5 s.
        on_state: Callback for each change of the watch's `Connection`.
    """

    epoch: str
    latest: bool
    payloads: Iterable[str]
    stages: Iterable[str]
    latest_progress: bool
    follow: bool
    status_interval: float | None
    on_state: Callable[[Connection], None] | None


class WatchOptions(StreamOptions, total=False):
    """Options of `Client.watch`; see also `StreamOptions`.

    Attributes:
        after: Sequence of the last known event: continue after it. 0 for the whole log.
        on_waiting: Callback for each change of `Watch.waiting`; None means that the job no longer waits.
    """

    after: int
    on_waiting: Callable[[Waiting | None], None] | None


class JobsWatchOptions(StreamOptions, JobQuery, total=False):
    """Options of `Client.watch_jobs`; see also `StreamOptions` and `JobQuery`.

    Attributes:
        after: Position to continue after, from `JobsWatch.position`; None or 0 for all retained events.
    """

    after: int | None


def describe_options(method: _Method) -> _Method:
    """Replace a line ``options: See `SubmitOptions`.`` of a docstring with the attributes of those classes."""
    method.__doc__ = _with_options(method.__doc__ or "")
    return method


def documented_by(source: Callable[..., object]) -> Callable[[_Method], _Method]:
    """Give a method the docstring of the one that it delegates to, with the attributes of its options."""

    def decorate(method: _Method) -> _Method:
        method.__doc__ = _with_options((source.__doc__ or "").replace("input_values:", "input:"))
        return method

    return decorate


def _with_options(docstring: str) -> str:
    return _REFERENCE.sub(
        lambda line: "\n".join(_attributes(name) for name in _NAME.findall(line[0])),
        inspect.cleandoc(docstring),
    )


def _attributes(name: str) -> str:
    return inspect.cleandoc(globals()[name].__doc__ or "").partition("Attributes:\n")[2]
