"""The reports and the output of bars of every kind."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from milepost.client._worker.current_job import as_current_job
from milepost.client.tqdm import asyncio as bars_asyncio
from milepost.client.tqdm import tqdm
from milepost.client.tqdm.contrib import tenumerate, tmap, tzip
from milepost.client.tqdm.contrib.concurrent import thread_map
from milepost.client.tqdm.rich import tqdm as drawn
from tests.unit.client.bars import Listener

ROOT = Path(__file__).parents[3]


class Mine(tqdm[Any]):
    """A subclass that draws its bars elsewhere."""

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Draw nothing."""
        return False


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Set the current job during the test."""
    listener = Listener()
    with as_current_job(listener.job):
        yield listener


def test_a_subclass_reports(listener: Listener) -> None:
    """Its bars report, and are instances of it."""
    bar = Mine("ab", desc="mine")

    assert type(bar) is Mine
    assert list(bar) == ["a", "b"]
    assert listener.reports()[0] == ("start", "mine")
    assert ("end", "mine", "SUCCEEDED") not in listener.reports()


def test_attributes_that_are_set_are_reported_with_the_next_update(listener: Listener) -> None:
    """The total, the count, and the postfix."""
    with tqdm(total=10_000, desc="load") as bar:
        listener.said()
        bar.total, bar.n, bar.postfix = 20_000, 100, "half"
        bar.update()
        (moved,) = listener.said()

    progress = moved.stage_progressed
    assert (progress.current, progress.total, progress.message) == (101, 20_000, "half")


def test_updates_within_a_loop_do_not_set_it_back(listener: Listener) -> None:
    """The bar's own count lags between two displays; the stage's does not."""
    bar = tqdm(range(100_000), desc="loop", mininterval=1000)
    moved = []
    for number in bar:
        if number == 50_000:
            listener.said()
            bar.set_postfix(loss=1)
            moved = listener.reports()

    assert moved == [("loop", 50_000.0, "loss=1")]
    assert listener.reports()[-2:] == [("loop", 100_000.0), ("end", "loop", "SUCCEEDED")]


def test_numbers_that_a_stage_cannot_have_fail_nothing(listener: Listener) -> None:
    """Other changes are reported all the same."""
    with tqdm(total=10, desc="odd") as bar:
        listener.said()
        bar.n, bar.total = float("nan"), float("inf")
        bar.set_postfix_str("still here")
        (moved,) = listener.said()
        bar.total = -1
        bar.reset()

    assert (moved.stage_progressed.current, moved.stage_progressed.message) == (0, "still here")


def test_a_bar_is_shown_in_the_file_that_it_is_given(
    listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not on stderr."""
    file = io.StringIO()
    list(tqdm("ab", file=file))
    list(tqdm("ab"))

    assert "100%" in file.getvalue()
    assert capsys.readouterr() == ("", "")


def test_reading_moves_a_stage_of_bytes(listener: Listener) -> None:
    """Its unit is known from the start."""
    with tqdm.wrapattr(io.BytesIO(b"x" * 300), "read", total=300, desc="read") as stream:
        stream.read()
    started, *_, last, _ = listener.said()

    assert started.stage_started.stage.unit == "B"
    assert last.stage_progressed.current == 300


async def test_bars_for_asyncio(listener: Listener) -> None:
    """A loop, `as_completed`, and `gather`."""

    async def letters() -> Any:
        for letter in "abc":
            yield letter

    async def later(number: int) -> int:
        await asyncio.sleep(0)
        return number

    bar: Any = bars_asyncio.tqdm
    assert [letter async for letter in bar(letters(), desc="loop")] == ["a", "b", "c"]
    assert sorted([await each for each in bar.as_completed([later(1), later(2)], desc="any")]) == [1, 2]
    assert await bar.gather(later(1), later(2), desc="all") == [1, 2]
    assert [result for result in listener.reports() if result[0] == "end"] == [
        ("end", name, "SUCCEEDED") for name in ("loop", "any", "all")
    ]


def test_bars_of_contrib(listener: Listener) -> None:
    """They are stages like others."""
    assert list(tenumerate("ab", desc="enumerate")) == [(0, "a"), (1, "b")]
    assert list(tzip("ab", "cd", desc="zip")) == [("a", "c"), ("b", "d")]
    assert list(tmap(str.upper, "ab", desc="map")) == ["A", "B"]
    assert thread_map(str.upper, "ab", desc="threads", max_workers=2) == ["A", "B"]
    assert [result for result in listener.reports() if result[0] == "end"] == [
        ("end", name, "SUCCEEDED") for name in ("enumerate", "zip", "map", "threads")
    ]


def test_a_map_in_processes() -> None:
    """The processes get the bars' lock through the imported class."""
    program = (
        "from milepost.client.tqdm.contrib.concurrent import process_map\n"
        "from milepost.client._worker.current_job import as_current_job\n"
        "from tests.unit.client.bars import Listener\n"
        "if __name__ == '__main__':\n"
        "    listener = Listener()\n"
        "    with as_current_job(listener.job):\n"
        "        print(process_map(abs, [-1, 2], desc='processes', max_workers=1))\n"
        "    print(listener.reports()[-1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["[1, 2]", "('end', 'processes', 'SUCCEEDED')"]


@pytest.mark.filterwarnings("ignore:rich is experimental")
def test_bars_that_rich_draws(listener: Listener, capsys: pytest.CaptureFixture[str]) -> None:
    """In a job only with a terminal; otherwise like tqdm's."""
    assert list(drawn("ab", desc="told")) == ["a", "b"]
    assert capsys.readouterr() == ("", "")
    assert listener.reports()[-1] == ("end", "told", "SUCCEEDED")


@pytest.mark.filterwarnings("ignore:rich is experimental")
def test_without_a_job_rich_draws_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout, as before."""
    assert list(drawn("ab", desc="shown")) == ["a", "b"]
    assert "shown" in capsys.readouterr().out


def test_a_bar_within_an_exception_that_is_handled(listener: Listener) -> None:
    """Its count is kept, whether its total was known or not."""
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        for _ in tqdm((number for number in range(2)), desc="loop"):
            pass
        with tqdm(desc="block") as bar:
            bar.update()

    assert [result for result in listener.reports() if result[0] == "end"] == [
        ("end", "loop", "SUCCEEDED"),
        ("end", "block", "SUCCEEDED"),
    ]


def test_a_notebook_without_widgets_gets_the_error_of_tqdm() -> None:
    """With tqdm's own exception, which says what to install."""
    program = "import sys; sys.modules['ipywidgets'] = None; from milepost.client.tqdm.notebook import tqdm; tqdm('a')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert "ImportError: IProgress not found. Please update jupyter and ipywidgets." in done.stderr


@pytest.mark.parametrize("stderr", [None, object(), io.StringIO()], ids=["none", "odd", "closed"])
def test_a_job_without_a_stderr_has_bars(
    listener: Listener, stderr: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They only report to the job."""
    if isinstance(stderr, io.StringIO):
        stderr.close()
    monkeypatch.setattr(sys, "stderr", stderr)
    assert list(tqdm("ab", desc="unseen")) == ["a", "b"]
    assert listener.reports()[-1] == ("end", "unseen", "SUCCEEDED")


@pytest.mark.parametrize("options", [{}, {"mininterval": 0, "miniters": 0}], ids=["seldom", "always"])
def test_a_stage_is_as_far_as_its_bar(listener: Listener, options: dict[str, Any]) -> None:
    """Whether it is displayed or not, however it advances."""
    heard = []
    with tqdm(total=1_000_000, desc="moved", initial=5, **options) as bar:
        for number in range(300):
            match number % 7:
                case 3:
                    bar.n = number
                case 4:
                    bar.total = 1_000_000 + number
                case 5:
                    bar.set_postfix(refresh=False, number=number)
                case 6:
                    bar.reset()
            bar.update(number % 5 + 0.5)
            bar.update(number)
            heard.append((listener.reports()[-1][1], bar.n))

    assert [result for result, _ in heard] == [n for _, n in heard]
