"""Reports that met a conflict are decided again, in their order, before anything new."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from milepost.server.dispatch.conflict_retry import ConflictRetry
from milepost.server.log.log_errors import Conflict, StoreFull
from milepost.server.scheduling.prompt_future import PromptFuture


@dataclass
class Report:
    """A decided report."""

    name: str
    durable: PromptFuture[None]


def decided(name: str) -> Report:
    """A report that is not durable yet."""
    return Report(name, PromptFuture())


class Decider:
    """Decides reports again; ``conflicts`` is the number of further conflicts of each."""

    def __init__(self, **conflicts: int) -> None:
        self.retries: ConflictRetry[Report] = ConflictRetry()
        self.order: list[str] = []
        self._conflicts = conflicts

    def durable_outcome(self, report: Report, refusal: BaseException | None = None) -> asyncio.Future[Report]:
        """Await the result of the report."""

        async def again() -> tuple[Report, PromptFuture[None]]:
            await asyncio.sleep(0)
            self.order.append(report.name)
            if refusal is not None:
                raise refusal
            second = decided(f"{report.name} again")
            if self._conflicts.get(report.name, 0):
                self._conflicts[report.name] -= 1
                second.durable.set_exception(Conflict(report.name))
            else:
                second.durable.set_result(None)
            return second, second.durable

        return self.retries.durable_outcome("j", report, report.durable, again)


async def test_without_a_conflict_the_first_decision_stands() -> None:
    """Nothing is decided again."""
    decider, report = Decider(), decided("a")
    settled = decider.durable_outcome(report)
    report.durable.set_result(None)

    assert report is await settled
    assert (decider.order, decider.retries.is_busy("j")) == ([], False)


async def test_conflicting_decisions_are_made_again_in_order() -> None:
    """As often as needed, and each before the next; new reports come after them."""
    decider = Decider(a=2)
    reports = [decided(name) for name in "abc"]
    settled = [decider.durable_outcome(report) for report in reports]
    for report in reports:
        report.durable.set_exception(Conflict("j"))
    await asyncio.sleep(0)
    assert decider.retries.is_busy("j")
    await decider.retries.idle("j")

    assert decider.order == ["a", "a", "a", "b", "c"]
    assert [(await each).name for each in settled] == ["a again", "b again", "c again"]
    assert not decider.retries.is_busy("j")


async def test_a_refusal_on_retry_is_raised() -> None:
    """Later reports are decided all the same."""
    decider = Decider()
    first, second = decided("a"), decided("b")
    refused, taken = decider.durable_outcome(first, ValueError("over")), decider.durable_outcome(second)
    for report in (first, second):
        report.durable.set_exception(Conflict("j"))

    with pytest.raises(ValueError, match="over"):
        await refused
    assert (await taken).name == "b again"


async def test_other_errors_are_not_retried() -> None:
    """The store's error is passed on."""
    decider, report = Decider(), decided("a")
    settled = decider.durable_outcome(report)
    report.durable.set_exception(StoreFull("no room"))

    with pytest.raises(StoreFull):
        await settled
    assert decider.order == []


async def test_a_decision_that_is_cancelled_leaves_nobody_waiting() -> None:
    """Such as with the slices of a long one: it is over, and those behind it are decided all the same."""
    decider = Decider()
    first, second = decided("a"), decided("b")
    cancelled, taken = (
        decider.durable_outcome(first, asyncio.CancelledError()),
        decider.durable_outcome(second),
    )
    for report in (first, second):
        report.durable.set_exception(Conflict("j"))
    await decider.retries.idle("j")

    assert (cancelled.cancelled(), taken.done() and (await taken).name) == (True, "b again")


async def test_an_append_that_is_cancelled_leaves_nobody_waiting() -> None:
    """Its report is over with it."""
    decider, report = Decider(), decided("a")
    settled = decider.durable_outcome(report)
    report.durable.cancel()

    assert settled.cancelled()


async def test_the_end_of_the_loop_leaves_nobody_waiting() -> None:
    """It cancels the task that decides again, for which several reports wait."""
    decider = Decider()
    reports = [decided("a"), decided("b")]
    settled = [decider.durable_outcome(report) for report in reports]
    for report in reports:
        report.durable.set_exception(Conflict("j"))
    await asyncio.sleep(0)
    decider.retries._running["j"].cancel()
    await decider.retries.idle("j")

    assert ([each.cancelled() for each in settled], decider.order) == ([True, True], [])
