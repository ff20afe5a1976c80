"""Options that cannot be used: the application hears of them, and its tasks run all the same."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery, Task

from milepost.client.engines.celery import MilepostTask, install
from milepost.client.engines.celery.execution_pool import MilepostStep
from tests.support.celery_tasks import studio

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"labels": {"user": 7}}, "'labels' in milepost cannot be {'user': 7}"),
    ({"owner": 7}, "'owner' in milepost cannot be 7"),
    ({"timeout": "5m"}, "'timeout' in milepost cannot be '5m'"),
    ({"start_deadline": "5m"}, "'start_deadline' in milepost cannot be '5m'"),
    ({"stages": 5}, "'stages' in milepost cannot be 5"),
    ({"stages": "pages"}, "stages is the text 'pages', and takes a list: ['pages']"),
    ({"lables": {}}, "There is no option 'lables'"),
]


def _same(number: int) -> int:
    return number


def _lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == "milepost.client"]


@pytest.fixture
def offline() -> Celery[Any]:
    """An application that publishes into memory."""
    return studio("memory://", "cache+memory://", "127.0.0.1:1")


@pytest.mark.parametrize(("options", "text"), REFUSED)
def test_a_task_with_a_wrong_option_is_published(
    offline: Celery[Any], caplog: pytest.LogCaptureFixture, options: dict[str, Any], text: str
) -> None:
    """Without a job, and the log names the option."""
    task: Any = offline.tasks["add"]
    result = task.apply_async((1, 2), task_id="a-task", milepost=options)

    assert result.id == "a-task"
    assert [text in line for line in _lines(caplog)] == [True]
    assert _lines(caplog)[0].startswith("task a-task is published without a job: ")


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"job_options": {"owner": 7}}, "'owner' in job_options cannot be 7"),
        ({"job_options": 7}, "job_options is 7, which must be a mapping"),
        ({"job_input": lambda self, args, kwargs: 1 / 0}, "job_input raised ZeroDivisionError"),
    ],
)
def test_a_task_with_a_wrong_class_is_published(
    offline: Celery[Any], caplog: pytest.LogCaptureFixture, attributes: dict[str, Any], text: str
) -> None:
    """The options of all of its jobs, and the code that makes their input, keep none of them back."""
    base = type("Wrong", (MilepostTask,), {"abstract": True, **attributes})
    task: Any = offline.task(name="wrong", base=base, shared=False)(_same)
    result = task.apply_async((1,), task_id="a-task")

    assert result.id == "a-task"
    assert [text in line for line in _lines(caplog)] == [True]


@pytest.mark.parametrize(
    ("address", "options", "kind", "text"),
    [
        (7, {}, TypeError, "address is 7, and takes text"),
        (None, {"timeout": "1"}, TypeError, "timeout is '1', and takes a number of seconds"),
        (None, {"timeout": -1}, ValueError, "timeout is -1, and takes a number of seconds of at least 0"),
        (None, {"redelivery_delay": float("nan")}, ValueError, "redelivery_delay is nan"),
        (None, {"tiemout": 1}, TypeError, "There is no option 'tiemout' for install"),
    ],
)
def test_install_refuses_wrong_options(
    address: Any, options: dict[str, Any], kind: type[Exception], text: str
) -> None:
    """At once, rather than with the first task."""
    app: Celery[Any] = Celery("studio", set_as_current=False)
    with pytest.raises(kind, match=text):
        install(app, address, **options)


@pytest.mark.parametrize(("base", "warnings"), [(Task, 1), (MilepostTask, 0)])
def test_a_worker_without_tasks_with_jobs_says_so(
    caplog: pytest.LogCaptureFixture, base: type[Any], warnings: int
) -> None:
    """Once, when it starts: `install` alone gives no task a job."""
    app: Celery[Any] = Celery("studio", broker="memory://", set_as_current=False)
    install(app)
    app.task(name="same", base=base, shared=False)(_same)
    MilepostStep(SimpleNamespace(concurrency=1, app=app, pool_cls="celery.concurrency.solo"))

    assert ["No task of 'studio' will have a job" in line for line in _lines(caplog)] == [True] * warnings


def _generator() -> Iterator[int]:
    yield 1


async def _asynchronous() -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (_generator, "_generator yields, so that calling it runs nothing"),
        (_asynchronous, "_asynchronous is async, and Celery awaits no task"),
    ],
)
@pytest.mark.parametrize("bind", [False, True])
def test_a_function_that_calling_does_not_run_is_refused(
    offline: Celery[Any], function: Any, text: str, bind: bool
) -> None:
    """When the application is made, and not in each run; so is a class of such tasks."""
    register: Any = offline.task(base=MilepostTask, bind=bind, lazy=False, shared=False)
    with pytest.raises(ValueError, match=text):
        register(function)
    with pytest.raises(ValueError, match=text):
        type("Unrun", (MilepostTask,), {"run": function, "name": "unrun"})
