"""The outcome of a handler, by what it returns or raises."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import math
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest

from milepost.client import Cancelled, JobContext, JobFailure, Worker
from milepost.client._arguments import is_async
from milepost.client._conversion import from_struct
from milepost.client._worker.current_job import current_job
from milepost.client._worker.handlers import Handler, HandlerKilled, Outcome, job_ended, run_mode_of
from milepost.client._worker.in_process_runner import RunningHandler, start_handler
from milepost.client._worker.job_context import JobControl
from milepost.client._worker.reporter import Reporter
from milepost.client.engines import Pipeline
from milepost.contract.limits import RESULT_SIZE
from milepost.testing import FakeWorker, run_handler
from milepost.v1 import Failure, Job, JobEnded, JobState

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="")


def unheard(path: str, said: str) -> None:
    """Ignore warnings."""


def started(handler: Handler) -> RunningHandler:
    """A running handler."""
    reporter = Reporter(lambda: None)
    return start_handler(handler, JobContext(JobControl(Job(job_id="j"), reporter)), reporter)


async def outcome(handler: Handler) -> Outcome:
    """Run a handler; return its outcome."""
    return await started(handler).outcome


async def test_an_async_handler_runs_in_the_loop() -> None:
    """As its own task."""

    async def handler(job: JobContext) -> dict[str, str]:
        return {"job": job.id, "thread": threading.current_thread().name}

    assert {"job": "j", "thread": threading.current_thread().name} == (await outcome(handler)).result


async def test_a_plain_handler_runs_in_a_thread() -> None:
    """In its own thread, with the context variables of the worker; the loop runs on."""
    variable.set("carried over")

    def handler(job: JobContext) -> dict[str, str]:
        return {"variable": variable.get(), "thread": threading.current_thread().name}

    assert (await outcome(handler)).result == {"variable": "carried over", "thread": "job j"}


async def test_the_current_job_is_known_within_a_handler() -> None:
    """In the loop, in a thread, and in tasks and threads started there; nowhere else."""

    async def in_loop(job: JobContext) -> dict[str, bool]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(asyncio.to_thread(current_job))
        return {"here": current_job() is job, "there": task.result() is job}

    def in_thread(job: JobContext) -> dict[str, bool]:
        return {"here": current_job() is job, "there": asyncio.run(asyncio.to_thread(current_job)) is job}

    for handler in (in_loop, in_thread):
        assert (await outcome(handler)).result == {"here": True, "there": True}
    assert current_job() is None


async def test_an_interrupt_reaches_an_async_handler_at_its_next_await() -> None:
    """A plain handler must check for itself."""
    waiting = asyncio.Event()

    async def handler(job: JobContext) -> None:
        waiting.set()
        await asyncio.Event().wait()

    running = started(handler)
    await waiting.wait()
    running.interrupt()
    assert isinstance((await running.outcome).error, asyncio.CancelledError)


async def test_a_handler_that_is_interrupted_before_it_starts_has_stopped() -> None:
    """It never ran, and counts as stopped."""

    async def handler(job: JobContext) -> None:
        raise AssertionError

    running = started(handler)
    running.interrupt()
    assert isinstance((await running.outcome).error, asyncio.CancelledError)


async def test_tracebacks_begin_in_the_handler() -> None:
    """Frames of the SDK are left out."""

    async def in_loop(job: JobContext) -> None:
        raise ValueError("boo")

    def in_thread(job: JobContext) -> None:
        raise ValueError("boo")

    def stops(job: JobContext) -> None:
        raise StopIteration

    for handler in (in_loop, in_thread):
        ended = job_ended(await outcome(handler), unheard, cancelled=False)
        assert (ended.failure.code, ended.failure.message) == ("ValueError", "boo")
        assert handler.__name__ in ended.failure.detail
        assert "handlers.py" not in ended.failure.detail.replace("test_handlers.py", "")
    assert job_ended(await outcome(stops), unheard, cancelled=False).failure.code == "StopIteration"


async def test_a_handler_that_cannot_be_called_fails_its_job() -> None:
    """A wrong signature fails the first job."""

    def handler() -> None: ...

    failed = job_ended(await outcome(handler), unheard, cancelled=False)  # type: ignore[arg-type]
    assert failed.failure.code == "TypeError"


def test_a_mapping_or_nothing_is_a_result() -> None:
    """None gives an empty result."""
    ended = job_ended(Outcome(result={"n": 1}), unheard, cancelled=False)
    assert (ended.state, dict(ended.result.items())) == (JobState.JOB_STATE_SUCCEEDED, {"n": 1.0})
    assert job_ended(Outcome(), unheard, cancelled=False) == JobEnded(state=JobState.JOB_STATE_SUCCEEDED)


def test_a_result_never_fails_the_job() -> None:
    """Values that are no mapping, not JSON, or too large are reported as closely as possible, with a warning."""
    heard: list[str] = []
    for result, reported, text in (
        ([1], {"value": [1]}, "result is of type list, not a mapping"),
        ({"loss": math.nan}, {"loss": "NaN"}, "result.loss is nan, which JSON does not have"),
        ({"n": 2**53 + 1}, {"n": "9007199254740993"}, "result.n is an integer"),
    ):
        ended = job_ended(Outcome(result=result), lambda path, said: heard.append(said), cancelled=False)
        assert (ended.state, from_struct(ended.result)) == (JobState.JOB_STATE_SUCCEEDED, reported)
        assert text in heard.pop()
    ended = job_ended(
        Outcome(result={"a": "x" * 2_000_000, "n": 1}), lambda path, said: heard.append(said), cancelled=False
    )
    assert ended.state == JobState.JOB_STATE_SUCCEEDED
    assert RESULT_SIZE - 100 <= ended.result.ByteSize() <= RESULT_SIZE
    assert ended.result["n"] == 1
    assert "at most 1,048,576 are allowed" in heard.pop()


def test_a_failure_may_be_of_any_values() -> None:
    """They are converted to the contract's types, so that the job ends."""
    odd: Any = {"code": 404, "message": ValueError("gone"), "detail": None, "retryable": "yes"}
    error = JobFailure(**odd)
    failure = job_ended(Outcome(error=error), unheard, cancelled=False).failure
    assert (failure.code, failure.message, failure.retryable) == ("404", "gone", True)


class Textless(Exception):
    """An exception whose `str` fails."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Proxy(Exception):
    """An exception that passes attributes on to what is closed."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError("closed")


class OwnFailure(JobFailure):
    """A failure whose `__init__` leaves out that of its base."""

    def __init__(self, path: str) -> None:
        self.path = path


ODD_ERRORS: list[tuple[BaseException, str, str]] = [
    (Textless(), "Textless", "<Textless>"),
    (Proxy("boo"), "Proxy", "boo"),
    # A parser has given text as the column; Python's traceback expects a number.
    (SyntaxError("boo", ("file", 1, cast("Any", "9"), "text")), "SyntaxError", "boo (file, line 1)"),
    (OwnFailure("/srv/a"), "OwnFailure", "/srv/a"),
]


@pytest.mark.parametrize(("error", "code", "message"), ODD_ERRORS, ids=lambda value: type(value).__name__)
def test_an_exception_of_any_class_ends_the_job(error: BaseException, code: str, message: str) -> None:
    """It may break what Python or the SDK asks it for: its job fails, or has been cancelled."""
    failure = job_ended(Outcome(error=error), unheard, cancelled=False).failure
    assert (failure.code, failure.message, failure.retryable) == (code, message, True)
    assert failure.detail != ""

    ended = job_ended(Outcome(error=error), unheard, cancelled=True)
    assert (ended.state, ended.message) == (
        JobState.JOB_STATE_CANCELLED,
        f"{code} while it was being cancelled: {message}",
    )


def test_a_failure_says_itself() -> None:
    """A JobFailure is reported without a traceback, within the bounds."""
    error = JobFailure("no such code!", "m" * 5000, detail="why", retryable=True)
    failure = job_ended(Outcome(error=error), unheard, cancelled=False).failure
    assert (failure.code, failure.detail, failure.retryable) == ("no_such_code_", "why", True)
    assert len(failure.message) <= 4096
    assert failure.message.endswith("characters]")


def test_completion_may_win_over_a_cancellation() -> None:
    """A handler that returns despite a cancellation has succeeded (rule 17)."""
    assert job_ended(Outcome(result={}), unheard, cancelled=True).state == JobState.JOB_STATE_SUCCEEDED


def test_a_handler_that_stops_when_cancelled_is_cancelled() -> None:
    """Also one that fails while it stops; the log has the exception."""
    for error in (asyncio.CancelledError(), Cancelled()):
        assert job_ended(Outcome(error=error), unheard, cancelled=True) == JobEnded(
            state=JobState.JOB_STATE_CANCELLED
        )
    broken = job_ended(Outcome(error=OSError("killed")), unheard, cancelled=True)
    assert (
        broken.state,
        broken.message,
    ) == (JobState.JOB_STATE_CANCELLED, "OSError while it was being cancelled: killed")


def test_a_cancellation_that_nobody_asked_for_is_a_failure() -> None:
    """Such as of a task that the handler awaited."""
    ended = job_ended(Outcome(error=asyncio.CancelledError()), unheard, cancelled=False)
    assert (ended.state, ended.failure.code) == (JobState.JOB_STATE_FAILED, "CancelledError")


def test_a_process_that_was_killed_is_cancelled_and_says_so() -> None:
    """A failure during a cancellation counts as cancelled, too; a returned result does not."""
    killed = job_ended(Outcome(error=HandlerKilled()), unheard, cancelled=True)
    assert killed.message == "The handler did not stop in time, so its process was killed."
    failed = JobEnded(state=JobState.JOB_STATE_FAILED, failure=Failure(code="X", message="boo"))
    assert failed == job_ended(Outcome(ended=failed), unheard, cancelled=False)
    result = job_ended(Outcome(ended=failed), unheard, cancelled=True)
    assert (result.state, result.message) == (
        JobState.JOB_STATE_CANCELLED,
        "X while it was being cancelled: boo",
    )
    crashed = job_ended(Outcome(error=JobFailure("PROCESS_CRASHED", "It did.")), unheard, cancelled=True)
    assert crashed.message == "PROCESS_CRASHED while it was being cancelled: It did."


async def in_loop(job: JobContext, more: object = None) -> None:
    """An async handler."""


def plain(job: JobContext, more: object = None) -> None:
    """A plain handler."""


class Called:
    """A callable object."""

    def __call__(self, job: JobContext) -> None:
        """A plain handler."""


class Awaited:
    """A callable object with an async `__call__`."""

    async def __call__(self, job: JobContext) -> None:
        """An async handler."""

    async def method(self, job: JobContext) -> None:
        """An async handler."""


ASYNC: list[Any] = [in_loop, functools.partial(in_loop, more=1), Awaited(), Awaited().method]
PLAIN: list[Any] = [plain, functools.partial(plain, more=1), Called(), lambda job: None]


def test_async_callables_are_recognised() -> None:
    """Functions, methods, callable objects, and partials."""
    assert [is_async(handler) for handler in ASYNC] == [True] * 4
    assert [is_async(handler) for handler in PLAIN] == [False] * 4


def test_the_run_mode_of_a_handler() -> None:
    """As requested; else an async handler as a task, and a plain one in a thread."""
    for handlers, usual in ((ASYNC, "task"), (PLAIN, "thread")):
        for handler in handlers:
            assert usual == run_mode_of(handler, None) == run_mode_of(handler, usual)  # type: ignore[arg-type]
        for handler in handlers[:3]:
            assert run_mode_of(handler, "process") == "process"


@pytest.mark.parametrize(
    ("handler", "run", "text"),
    [
        (in_loop, "thread", 'in_loop is async, and cannot run as run="thread"'),
        (Awaited(), "thread", 'Awaited is async, and cannot run as run="thread"'),
        (plain, "task", 'plain is a plain function, and as run="task" it would block the event loop'),
        (lambda job: None, "process", "<lambda> cannot run as"),
        (plain, "fork", "There is no run='fork': use"),
    ],
)
def test_an_impossible_run_mode_is_refused(handler: Handler, run: Any, text: str) -> None:
    """At registration, with the alternatives."""
    with pytest.raises(ValueError, match=text):
        Worker("127.0.0.1:1").job("k", run=run)(handler)


class Yielding:
    """A callable object that is a generator."""

    def __call__(self, job: JobContext) -> Iterator[None]:
        """A generator."""
        yield


def generator(job: JobContext) -> Iterator[None]:
    """A generator."""
    yield


async def asynchronous_generator(job: JobContext) -> AsyncIterator[None]:
    """An async generator."""
    yield


@pytest.mark.parametrize(
    ("handler", "name"),
    [
        (generator, "generator"),
        (functools.partial(generator), "generator"),
        (asynchronous_generator, "asynchronous_generator"),
        (Yielding(), "Yielding"),
    ],
)
def test_a_generator_is_refused(handler: Any, name: str) -> None:
    """At registration, and by `run_handler`: nothing of it would run."""
    with pytest.raises(
        ValueError, match=f"^{name} yields, so that calling it runs nothing: return the result"
    ):
        Worker("127.0.0.1:1").job("k")(handler)
    with pytest.raises(ValueError, match=f"^{name} yields, so that calling it runs nothing"):
        Pipeline("127.0.0.1:1").job("k")(handler)
    with pytest.raises(ValueError, match=f"^{name} yields, so that calling it runs nothing"):
        FakeWorker("127.0.0.1:1", ["k"], script=handler)
    with pytest.raises(ValueError, match=f"^{name} yields, so that calling it runs nothing"):
        run_handler(handler)


def test_a_function_within_another_is_not_found_by_a_process() -> None:
    """It is refused at registration; async or not, and in partials, too."""

    def within(job: JobContext) -> None: ...

    for handler in (within, functools.partial(within)):
        with pytest.raises(ValueError, match="at the top of a module"):
            run_mode_of(handler, "process")


def test_a_callback_that_nobody_could_await_is_refused() -> None:
    """It would never run."""

    async def callback() -> None: ...

    with pytest.raises(TypeError, match="plain function"):
        JobContext(JobControl(Job(job_id="j"), Reporter(lambda: None))).on_cancel(callback)


def test_a_handler_without_a_kind_is_an_error() -> None:
    """Forgetting the kind is an easy mistake, with an error of its own."""
    with pytest.raises(TypeError, match="needs the kind of job"):

        @Worker().job  # type: ignore[arg-type]  # as a type checker reports
        def archive(job: JobContext) -> None:
            """A handler that does nothing."""
