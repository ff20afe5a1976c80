"""Arguments of wrong types and values, for all that the SDK makes public: each error names the argument."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import pytest
from celery import Celery

from milepost.client import Client, JobContext, SyncClient, Worker
from milepost.client._worker.job_context import JobControl
from milepost.client._worker.reporter import Reporter
from milepost.client.engines import Pipeline
from milepost.client.engines.celery import install
from milepost.client.engines.hatchet import HatchetJobs
from milepost.testing import FakeWorker, MemoryServer, run_handler
from milepost.v1 import Job

Values: TypeAlias = tuple[Any, ...]


class Tensor:
    """Compares as a tensor of torch with several elements does."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")

    __hash__ = None  # type: ignore[assignment]


NOBODY: Final = "127.0.0.1:1"
TEXT: Final[Values] = (7, b"\xff", [])
REQUIRED_TEXT: Final[Values] = (None, 7, [])
WHOLE: Final[Values] = ("x", 2.5, [])
NUMBER: Final[Values] = ("x", [])
FLAG: Final[Values] = ("no", 7, np.array([True, False]), Tensor())
SECONDS: Final[Values] = ("x", [], math.nan, -1)
DURATION: Final[Values] = ("x", [], math.nan, math.inf)
LIST: Final[Values] = ("x", 7, object())
MAPPING: Final[Values] = (7, "x", ["a"])
MESSAGE: Final[Values] = (7, "x")
CALLBACK: Final[Values] = (7, "x")
PATH: Final[Values] = (7, [])

CONNECTION: Final[dict[str, Values]] = {
    "address": TEXT,
    "token": (7, []),
    "tls": FLAG,
    "tls_ca": PATH,
    "tls_cert": PATH,
    "tls_key": PATH,
    "allow_plaintext_token": FLAG,
}
SUBMIT: Final[dict[str, Values]] = {
    "kind": REQUIRED_TEXT,
    "input": (7, "x", []),
    "job_id": TEXT,
    "request_id": (7,),
    "owner": TEXT,
    "labels": MAPPING,
    "parent_job_id": TEXT,
    "stages": (None, *LIST, [7]),
    "planned_children": WHOLE,
    "workload": NUMBER,
    "workload_unit": TEXT,
    "timeout": DURATION,
    "attempt_timeout": DURATION,
    "start_deadline": DURATION,
    "retry_policy": MESSAGE,
    "priority": WHOLE,
    "concurrency_key": TEXT,
    "concurrency_limit": WHOLE,
    "retention": MESSAGE,
}
ATTACH: Final[dict[str, Values]] = {
    "wait": ("x", math.nan, math.inf),
    "instance": TEXT,
    "on_unreachable": (7, "x", None),
    "on_lost": (7, "x", None),
    "worker_id": TEXT,
    "flush_timeout": SECONDS,
}
STREAM: Final[dict[str, Values]] = {
    "epoch": TEXT,
    "latest": FLAG,
    "payloads": LIST,
    "stages": LIST,
    "latest_progress": FLAG,
    "follow": FLAG,
    "status_interval": DURATION,
    "on_state": CALLBACK,
    "snapshot": FLAG,
    "on_gap": (7, "skip", None),
}
QUERY: Final[dict[str, Values]] = {
    "owner": TEXT,
    "kinds": LIST,
    "labels": MAPPING,
    "parent_job_id": TEXT,
    "job_ids": LIST,
    "states": (None, *LIST),
}
ID: Final[dict[str, Values]] = {"job_id": REQUIRED_TEXT}

CALLS: Final[dict[str, tuple[dict[str, Any], dict[str, Values]]]] = {
    "get": ({}, ID),
    "waiting": ({}, ID),
    "cancel": ({"job_id": "j"}, {**ID, "reason": TEXT, "grace_period": DURATION}),
    "delete": ({}, ID),
    "share": ({"job_id": "j"}, {**ID, "ttl": DURATION, "cancel": FLAG}),
    "revoke_shares": ({}, ID),
    "history": ({"kind": "k"}, {"kind": REQUIRED_TEXT, "owner": TEXT}),
    "result": ({"job_id": "j"}, {**ID, "timeout": SECONDS}),
    "submit": ({"kind": "k"}, {**SUBMIT, "dispatch": (7.5, "external")}),
    "attach": ({"job_id": "j"}, {**ID, **ATTACH}),
    "start": ({"kind": "k"}, {**SUBMIT, **ATTACH}),
    "watch": ({"job_id": "j"}, {**ID, **STREAM, "after": (None, *WHOLE), "on_waiting": CALLBACK}),
    "watch_jobs": ({}, {**QUERY, **STREAM, "after": WHOLE}),
    "follow": ({"job_id": "j"}, {**ID, "status_interval": DURATION, "on_state": CALLBACK}),
    "list": ({}, {**QUERY, "order_by": TEXT, "page_size": WHOLE}),
    "workers": ({}, {"kind": TEXT, "page_size": WHOLE}),
}
"""The methods of a client: what they need, and what is wrong for each argument."""

CONSTRUCTORS: Final[dict[str, tuple[Callable[..., Any], dict[str, Values]]]] = {
    "Client": (Client, {**CONNECTION, "timeout": (None, *SECONDS, math.inf)}),
    "SyncClient": (SyncClient, {**CONNECTION, "timeout": (None, *SECONDS, math.inf)}),
    "Worker": (
        Worker,
        {
            **CONNECTION,
            "timeout": SECONDS,
            "worker_id": TEXT,
            "max_concurrency": (*WHOLE, 0),
            "drain_timeout": SECONDS,
            "flush_timeout": SECONDS,
            "spool": (7,),
        },
    ),
    "Pipeline": (
        Pipeline,
        {**CONNECTION, "concurrency": (None, *WHOLE, 0, True), "engine": (7, "airflow")},
    ),
    "HatchetJobs": (HatchetJobs, CONNECTION),
    "FakeWorker": (
        lambda **options: FakeWorker(**{"kinds": ["k"], **options}),
        {"address": TEXT, "token": (7,), "kinds": LIST, "script": CALLBACK, "stops_on_cancel": FLAG},
    ),
    "MemoryServer": (MemoryServer, {"lease_ttl": SECONDS, "tokens": PATH, "log_level": (7, "loud", None)}),
    "run_handler": (
        lambda **options: run_handler(**{"handler": lambda job: None, **options}),
        {
            "handler": (None, 7),
            "input": (7, "x", []),
            "kind": TEXT,
            "job_id": TEXT,
            "labels": MAPPING,
            "attempt": WHOLE,
            "stages": (None, *LIST),
            "cancel_when": CALLBACK,
        },
    ),
}
"""What is constructed or called without a server."""


def cases(table: dict[str, tuple[Any, dict[str, Values]]]) -> list[tuple[str, str, Values]]:
    """Each argument of each target, with its wrong values."""
    return [
        (target, name, values)
        for target, (_, arguments) in table.items()
        for name, values in arguments.items()
    ]


def job_context() -> JobContext:
    """The context of a job whose reports nobody sees."""
    return JobContext(JobControl(Job(job_id="j"), Reporter(lambda: None)))


def assert_named(error: BaseException, name: str) -> None:
    """Assert that the SDK has written the error, and named the argument."""
    assert isinstance(error, TypeError | ValueError)
    assert name in str(error), f"{error!r} does not name {name}"


async def finish(outcome: Any) -> None:
    """Go on to where the arguments of a call have been looked at."""
    if inspect.isasyncgen(outcome):
        await anext(outcome)
    elif inspect.isawaitable(outcome):
        await outcome


@pytest.mark.parametrize(("method", "name", "values"), cases(CALLS))
async def test_a_wrong_argument_of_a_client_is_named(method: str, name: str, values: Values) -> None:
    """Before anything is sent."""
    needed, _ = CALLS[method]
    async with Client(NOBODY, timeout=0.0) as client:
        for value in values:
            with pytest.raises((TypeError, ValueError)) as raised:
                await finish(getattr(client, method)(**{**needed, name: value}))
            assert_named(raised.value, name)


@pytest.mark.parametrize(("target", "name", "values"), cases(CONSTRUCTORS))
def test_a_wrong_argument_is_named(target: str, name: str, values: Values) -> None:
    """When it is given, and not with the first call or job."""
    make, _ = CONSTRUCTORS[target]
    for value in values:
        with pytest.raises((TypeError, ValueError)) as raised:
            make(**{name: value})
        assert_named(raised.value, name)


REPORTS: Final[dict[str, tuple[Callable[..., Any], dict[str, Values]]]] = {
    "stage": (
        lambda job, **given: job.stage(**{"stage_id": "s", **given}),
        {"stage_id": REQUIRED_TEXT, "parent": (7, b"x", [])},
    ),
    "plan": (JobContext.plan, {"stages": (*LIST, [7])}),
    "log": (lambda job, **given: job.log("x", **given), {"severity": (7, "loud", True), "stage": (7, [])}),
    "stage of a stage": (
        lambda job, **given: job.stage("outer").stage(**given),
        {"stage_id": REQUIRED_TEXT},
    ),
    "emit": (lambda job, **given: job.emit(**{"data": {}, **given}), {"type": REQUIRED_TEXT}),
    "artifact": (lambda job, **given: job.artifact("a", "file:///a", **given), {"stage": (7, [])}),
    "on_cancel": (JobContext.on_cancel, {"callback": CALLBACK}),
}
"""The reports of a handler, whose other values are reported in the nearest form."""


@pytest.mark.parametrize(("method", "name", "values"), cases(REPORTS))
def test_a_wrong_argument_of_a_report_is_named(method: str, name: str, values: Values) -> None:
    """In the handler, where it is wrong in each run."""
    report, _ = REPORTS[method]
    for value in values:
        with pytest.raises((TypeError, ValueError)) as raised:
            report(job_context(), **{name: value})
        assert_named(raised.value, name)


async def test_subscriptions_take_ids() -> None:
    """One of another type is refused."""
    async with Client(NOBODY) as client, client.subscriptions() as subscriptions:
        for value in REQUIRED_TEXT:
            wrong: Any = value
            with pytest.raises(TypeError, match=r"job_id is .*, and takes text"):
                subscriptions.add(wrong)


async def async_callback(*_: object) -> None:
    """Do nothing."""


class AsyncCallback:
    """An object that is called as an async function is."""

    async def __call__(self, *_: object) -> None:
        """Do nothing."""


@pytest.mark.parametrize("callback", [async_callback, AsyncCallback()])
def test_a_callback_is_a_plain_function(callback: Any) -> None:
    """Nobody would await what an async one returns."""
    with pytest.raises(TypeError, match=r"on_state is .*, and takes a plain function"):
        Client(NOBODY).follow("j", on_state=callback)
    with pytest.raises(TypeError, match="A callback of on_cancel is a plain function"):
        job_context().on_cancel(callback)


async def test_numbers_of_numpy_are_numbers() -> None:
    """As whole numbers, seconds and flags, alone and together."""
    flags: dict[str, Any] = {"latest": np.False_, "latest_progress": np.True_, "follow": 1}
    numbers: tuple[Any, ...] = (np.int64(0), np.int64(7), np.int64(3), np.float32(0.5))
    zero, seven, three, half = numbers
    async with Client(NOBODY, timeout=half) as client:
        watch = client.watch("j", after=zero, **flags)
        assert (type(watch.cursor), watch.cursor) == (int, 0)
        assert client.watch_jobs(after=seven, **flags).position == 7
        with pytest.raises(ValueError, match="A watch starts in one way"):
            client.watch("j", **{**flags, "snapshot": np.True_, "latest": np.True_})
    assert type(Pipeline(NOBODY, concurrency=three)._settings.concurrency) is int


def test_a_pipeline_reads_its_server_in_the_environment_when_it_connects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wrong address there may be replaced until then; one that is given is refused at once, as before."""
    monkeypatch.setenv("MILEPOST_ADDRESS", "http://elsewhere")
    pipeline = Pipeline()
    with pytest.raises(ValueError, match="The address is HOST:PORT"):
        pipeline.client()
    monkeypatch.setenv("MILEPOST_ADDRESS", NOBODY)
    pipeline.client()
    with pytest.raises(ValueError, match="The address is HOST:PORT"):
        Pipeline("http://elsewhere")


def test_a_size_that_is_no_number_is_left_out() -> None:
    """With a warning, as any other value that an artifact cannot have."""
    run = run_handler(lambda job: job.artifact("a", "file:///a", size_bytes=True))
    assert (run.error, run.artifacts["a"].size_bytes, len(run.logs)) == (None, 0, 1)


@pytest.mark.parametrize(("name", "values"), [("address", (7,)), ("timeout", SECONDS), ("tls_ca", PATH)])
def test_a_wrong_argument_of_install_is_named(name: str, values: Values) -> None:
    """As those of a client."""
    for value in values:
        with pytest.raises((TypeError, ValueError)) as raised:
            install(Celery("a"), **{name: value})
        assert_named(raised.value, name)


async def test_a_result_may_take_for_ever() -> None:
    """An infinite timeout is none."""
    async with MemoryServer() as server, Client(server.address) as client:
        async with client.start("k") as job:
            job.result = {"n": 1}
        assert await client.result(job.id, timeout=math.inf) == {"n": 1}
