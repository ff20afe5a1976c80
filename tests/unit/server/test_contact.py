"""For how long a node has been in contact with the others, as far as it can tell from answers."""

from __future__ import annotations

import pytest

from milepost.server.log.jetstream.contact import Contact

PATIENCE = 3.0


class Time:
    """A clock that is moved by hand, and a connection that is broken by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.breaks = 0
        self.contact = Contact(PATIENCE, lambda: self.breaks, lambda: self.now)

    def ask(self, *, answer_after: float = 0.0) -> None:
        """A question, answered after so many seconds."""
        asked = self.contact.asks()
        self.now += answer_after
        self.contact.answered(asked)

    def lasts(self, after: float = 0.0) -> float:
        """How long contact has lasted, so many seconds later."""
        self.now += after
        return self.contact.lasts()


@pytest.fixture
def time() -> Time:
    """Nothing was asked yet."""
    return Time()


def test_before_an_answer_there_is_none(time: Time) -> None:
    """A node that has just started has heard nobody."""
    assert time.lasts(after=1000) == 0


def test_it_begins_when_the_first_answered_question_was_asked(time: Time) -> None:
    """What came before the answer may have been missed before the question only."""
    time.ask(answer_after=2)
    assert time.lasts() == 2
    assert time.lasts(after=1) == 3


def test_it_lasts_while_answers_come(time: Time) -> None:
    """However long each takes, as long as none is missing for longer than the patience."""
    for _ in range(10):
        time.ask(answer_after=2)
        time.now += 1
    assert time.lasts() == 30


def test_it_ends_where_no_answer_comes(time: Time) -> None:
    """And begins with the next one, not with those before."""
    time.ask()
    assert time.lasts(after=PATIENCE) == PATIENCE
    assert time.lasts(after=0.1) == 0
    time.ask()
    assert time.lasts(after=1) == 1


def test_an_answer_that_comes_late_does_not_bridge_a_gap(time: Time) -> None:
    """What counts is when the question was asked: a stalled connection brings its answer in the end."""
    time.ask()
    time.now += 1
    time.ask(answer_after=PATIENCE + 1)
    assert time.lasts() == 0


def test_it_ends_where_the_connection_breaks(time: Time) -> None:
    """However short that was, and also where a question from before it is answered after it."""
    time.ask()
    time.now += 1
    asked = time.contact.asks()
    time.breaks += 1
    assert time.lasts() == 0
    time.contact.answered(asked)
    assert time.lasts() == 0
    time.ask()
    assert time.lasts(after=1) == 1
