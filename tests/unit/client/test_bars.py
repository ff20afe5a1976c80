"""Bars and log records: reports of the current job, and ordinary ones without a job."""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest
import tqdm as ordinary

import milepost.client
from milepost.client import Cancelled
from milepost.client._worker.current_job import as_current_job, current_job
from milepost.client.logging import JobHandler
from milepost.client.tqdm import tqdm, trange
from milepost.v1 import LogWritten, Severity, Stage, StageState
from tests.unit.client.bars import Listener


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Set the current job during the test."""
    listener = Listener()
    with as_current_job(listener.job):
        yield listener


def test_without_a_job_a_bar_is_one_of_tqdm() -> None:
    """With all of tqdm's features; and it is an instance of our class."""
    shown = io.StringIO()
    bar = tqdm([1, 2, 3], desc="three", file=shown)
    assert ordinary.tqdm in type(bar).mro()
    assert isinstance(bar, tqdm)
    assert list(bar) == [1, 2, 3]
    assert "three: 100%" in shown.getvalue()
    assert ordinary.tqdm in type(trange(3, file=shown)).mro()
    assert tqdm.monitor_interval == ordinary.tqdm.monitor_interval
    loosely: Any = tqdm
    with pytest.raises(AttributeError):
        loosely.no_such_thing  # noqa: B018 - it is looked for


@pytest.fixture
def without_tqdm(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The drop-in, imported without tqdm."""
    name = "milepost.client.tqdm"
    monkeypatch.setattr(milepost.client, "tqdm", sys.modules[name])
    for module in [module for module in sys.modules if f"{module}.".startswith((f"{name}.", "tqdm."))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    return importlib.import_module(name).tqdm


def test_without_tqdm_a_bar_counts(without_tqdm: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """It shows nothing; code need not change."""
    tqdm = without_tqdm
    bar = tqdm("abc", desc="letters")
    assert list(bar) == ["a", "b", "c"]
    assert (bar.n, len(bar), bool(bar), isinstance(bar, tqdm)) == (3, 3, True, True)
    with tqdm(total=10, initial=2) as bar:
        bar.update(3)
        bar.set_description("other")
        bar.set_postfix(loss=0.12345)
        bar.refresh()
        bar.clear()
        bar.unpause()
        assert (bar.n, bar.postfix) == (5, "loss=0.123")
    tqdm.write("a line")
    assert capsys.readouterr() == ("a line\n", "")
    with pytest.raises(AttributeError):
        tqdm.monitor_interval  # noqa: B018 - it is looked for


def test_in_a_job_a_bar_is_a_stage(listener: Listener, capsys: pytest.CaptureFixture[str]) -> None:
    """Named after its description, with its total and unit; without a terminal nothing is drawn."""
    bar = tqdm([10, 20, 30], desc="Reading files!", unit="file")
    assert list(bar) == [10, 20, 30]
    first, *_, last, end = listener.said()
    assert first.stage_started.stage == Stage(
        stage_id="Reading-files", title="Reading files!", total=3, unit="file"
    )
    assert last.stage_progressed.current == 3.0
    assert end.stage_ended.state == StageState.STAGE_STATE_SUCCEEDED
    assert (bar.n, capsys.readouterr()) == (3, ("", ""))


def test_a_fork_has_no_current_job(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the fork would send its reports, and threads that do not exist there may hold their locks."""
    assert current_job() is listener.job
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert current_job() is None


def test_names_of_stages_are_unique(listener: Listener) -> None:
    """Apart from the handler's own stages; a planned stage of that name is used."""
    listener.job.plan(["load", "save"])
    with listener.job.stage("load"):
        pass
    for desc in ("load", "save", "save", "", "§"):
        list(tqdm("a", desc=desc))
    assert [
        update.stage_started.stage.stage_id for update in listener.said() if update.HasField("stage_started")
    ] == ["load", "load-2", "save", "save-2", "bar", "bar-2"]


def test_a_bar_is_moved_and_described(listener: Listener) -> None:
    """As a bar of tqdm; its postfix is the stage's message."""
    with tqdm(total=10_000, desc="load", initial=1) as bar:
        bar.update()
        bar.update(2)
        bar.set_postfix(loss=0.123456, epoch=3)
        assert listener.reports() == [("start", "load"), ("load", 4.0, "epoch=3, loss=0.123")]
        bar.set_description("load again")
        assert listener.reports() == [("load", 4.0, "load again: epoch=3, loss=0.123")]
        bar.set_postfix_str("almost")
        bar.n = 9
        bar.total = 20_000
        bar.refresh()
        (moved,) = listener.said()
        assert (moved.stage_progressed.current, moved.stage_progressed.total) == (9.0, 20_000.0)
        assert (bar.n, len(bar)) == (9, 20_000)
        bar.update(float("nan"))
        bar.reset(5)
        assert bar.n == 0
    assert listener.reports()[-1] == ("end", "load", "SUCCEEDED")


def test_a_bar_ends_with_the_outcome_of_its_block(listener: Listener) -> None:
    """If that is known; else its stage ends with the job."""
    with pytest.raises(ZeroDivisionError), tqdm(total=2, desc="block"):
        _ = 1 / 0
    with contextlib.suppress(ZeroDivisionError):
        for _ in tqdm("ab", desc="loop"):
            _ = 1 / 0
    bar = tqdm(total=2, desc="closed")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        bar.close()
    for _ in tqdm("ab", desc="broken-off"):
        break
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        list(tqdm("ab", desc="complete"))
    gc.collect()
    assert [result for result in listener.reports() if result[0] == "end"] == [
        ("end", "block", "FAILED"),
        ("end", "complete", "SUCCEEDED"),
    ]


def test_bars_within_a_bar_share_a_stage(listener: Listener) -> None:
    """However many there are; it has no weight, since the outer one measures the progress."""
    for _ in trange(3, desc="epochs"):
        for _ in tqdm("abcd", desc="batches"):
            pass
    updates = listener.said()
    started = [update.stage_started.stage for update in updates if update.HasField("stage_started")]
    assert [
        (stage.stage_id, stage.HasField("weight"), stage.weight or float(stage.stage_id == "epochs"))
        for stage in started
    ] == [("epochs", False, 1.0), ("batches", True, 0.0)]
    assert [update.stage_ended.stage_id for update in updates if update.HasField("stage_ended")] == [
        "batches",
        "epochs",
    ]


def test_a_bar_beyond_the_stage_limit_reports_nothing(listener: Listener) -> None:
    """The loop still yields all items."""
    for number in range(1000):
        listener.job.stage(f"s{number}")
    assert list(tqdm("ab")) == ["a", "b"]
    with tqdm(total=3) as bar:
        bar.update(2)
        bar.set_postfix(a=1)
        assert bar.n == 2


def test_a_loop_over_a_bar_is_cancelled(listener: Listener) -> None:
    """Like `StageContext.track`."""
    items = iter(tqdm(range(10)))
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    listener.job._control.cancel_signal.set()
    with pytest.raises(Cancelled):
        next(items)


def test_a_disabled_bar_reports_nothing(listener: Listener) -> None:
    """Only with True; None depends on a terminal, and does not disable reports."""
    assert ordinary.tqdm in type(tqdm("ab", disable=True)).mro()
    assert list(tqdm("ab", disable=True)) == ["a", "b"]
    assert listener.reports() == []
    list(tqdm("ab", disable=None))
    assert listener.reports() == [("start", "bar"), ("bar", 1.0), ("bar", 2.0), ("end", "bar", "SUCCEEDED")]


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        """True."""
        return True


def test_on_a_terminal_a_bar_is_shown_as_well(listener: Listener) -> None:
    """By tqdm, and reported besides."""
    shown = Terminal()
    for _ in tqdm("abc", desc="letters", file=shown, mininterval=0, ncols=60):
        pass
    assert "letters: 100%" in shown.getvalue()
    assert listener.reports()[-1] == ("end", "letters", "SUCCEEDED")
    with tqdm(total=4, file=shown, ncols=60) as bar:
        bar.update(2)
        bar.set_description("by hand")
        bar.set_postfix(a=1)
        bar.refresh()
    assert "by hand:  50%" in shown.getvalue()


def test_a_line_beside_the_bars_is_in_the_log(listener: Listener, capsys: pytest.CaptureFixture[str]) -> None:
    """It is printed, too."""
    tqdm.write("found one")
    assert [update.log_written.text for update in listener.said()] == ["found one"]
    assert capsys.readouterr().out == "found one\n"


def test_bars_in_threads_are_beside_each_other(listener: Listener) -> None:
    """They are not nested in the bar of the starting thread."""
    with tqdm(total=1, desc="outer"):
        thread = threading.Thread(target=copy_context().run, args=(list, tqdm("ab", desc="before")))
        other = threading.Thread(target=copy_context().run, args=(lambda: list(tqdm("ab", desc="within")),))
        for started in (thread, other):
            started.start()
            started.join()
    weights = {
        update.stage_started.stage.stage_id: update.stage_started.stage.HasField("weight")
        for update in listener.said()
        if update.HasField("stage_started")
    }
    assert weights == {"outer": False, "before": True, "within": False}


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger with only this handler."""
    logger = logging.getLogger("app.part")
    handler = JobHandler()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield logger
    logger.removeHandler(handler)
    logger.propagate = True


def test_records_are_written_to_the_log_of_the_job(listener: Listener, log: logging.Logger) -> None:
    """With their severity, the logger's name and the exception."""
    log.debug("one %s", "argument")
    log.info("two")
    log.warning("three")
    log.critical("four")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        log.exception("five")
    written = [update.log_written for update in listener.said()]
    assert [
        LogWritten(text=text, severity=severity, fields=written[0].fields)
        for text, severity in (
            ("one argument", Severity.SEVERITY_DEBUG),
            ("two", Severity.SEVERITY_INFO),
            ("three", Severity.SEVERITY_WARNING),
            ("four", Severity.SEVERITY_ERROR),
        )
    ] == written[:4]
    assert dict(written[0].fields.items()) == {"logger": "app.part"}
    assert dict(written[4].fields.items()) == {"logger": "app.part", "exception": "ZeroDivisionError"}
    assert written[4].text.startswith("five\nTraceback")
    assert written[4].text.endswith("ZeroDivisionError: division by zero")


def test_formatters_and_filters_are_applied(listener: Listener, log: logging.Logger) -> None:
    """As with any handler."""
    handler = log.handlers[0]
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    handler.addFilter(lambda record: "secret" not in record.getMessage())
    log.info("a secret")
    log.info("known")
    assert [update.log_written.text for update in listener.said()] == ["INFO: known"]


def test_without_a_job_nothing_is_written(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither to a job nor to the terminal."""
    log.error("nobody hears this")
    assert capsys.readouterr() == ("", "")


def test_records_of_the_sdk_itself_are_not_reported(listener: Listener, log: logging.Logger) -> None:
    """Otherwise reporting a line might log another one, and so on."""
    handler = log.handlers[0]
    for name in ("milepost", "milepost.client"):
        handler.handle(logging.LogRecord(name, logging.ERROR, "", 0, "of itself", None, None))
    handler.handle(logging.LogRecord("mileposts", logging.ERROR, "", 0, "of another", None, None))
    assert [update.log_written.text for update in listener.said()] == ["of another"]


def test_a_record_that_cannot_be_formatted_fails_nothing(
    listener: Listener, log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is reported on stderr, as with any handler."""
    log.handlers[0].handle(logging.LogRecord("app", logging.ERROR, "", 0, "%d", ("no number",), None))
    assert listener.said() == []
    assert "--- Logging error ---" in capsys.readouterr().err


def test_a_finalizer_may_log_during_a_report(listener: Listener, log: logging.Logger) -> None:
    """Neither it nor another logging thread deadlocks."""
    entered, logged = threading.Event(), threading.Event()

    def other() -> None:
        entered.wait()
        log.info("of another thread")
        logged.set()

    thread = threading.Thread(target=copy_context().run, args=(other,))
    thread.start()
    with listener.reporter.lock:
        entered.set()
        log.info("of a finalizer")
    thread.join()
    assert [update.log_written.text for update in listener.said()] == ["of a finalizer", "of another thread"]
