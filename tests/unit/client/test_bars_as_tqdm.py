"""The drop-in behaves like tqdm, in a job and outside."""

from __future__ import annotations

import io
from contextlib import nullcontext

import pytest
import tqdm as ordinary
import tqdm.std

from milepost.client._worker.current_job import as_current_job
from milepost.client.tqdm import tqdm as ours
from tests.unit.client import bars_shown, bars_used
from tests.unit.client.bars import SCENARIOS, Clock, Listener


def seen_with(kind: object, name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[object, str]:
    """The observations of a scenario with a class of bars and a manual clock, and the output."""
    clock, file = Clock(), io.StringIO()
    monkeypatch.setattr(tqdm.std, "time", clock)
    return SCENARIOS[name](kind, file, clock), file.getvalue()


@pytest.mark.parametrize("inside", [False, True], ids=["outside", "inside"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_bar_is_as_one_of_tqdm(name: str, inside: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In behaviour, results and output."""
    expected = seen_with(ordinary.tqdm, name, monkeypatch)
    with as_current_job(Listener().job) if inside else nullcontext():
        assert seen_with(ours, name, monkeypatch) == expected


def test_the_scenarios_are_there() -> None:
    """The scenarios of both modules."""
    modules = {function.__module__ for function in SCENARIOS.values()}

    assert modules == {bars_shown.__name__, bars_used.__name__}
