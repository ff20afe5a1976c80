"""What is done where streams do not get through is decided by what does (and the time is passed in)."""

from __future__ import annotations

from milepost.client.passage import Passage, Way


def failed(passage: Passage, *, answered: bool, now: float = 0.0) -> bool:
    """A stream does not open, and a call is tried where that is due; whether it was."""
    due = passage.failed()
    if due:
        passage.called(answered=answered, now=now)
    return due


def way_and_doubts(passage: Passage) -> tuple[Way, int]:
    """How it stands."""
    return passage.way, passage.doubts


def test_streams_are_given_up_when_calls_are_answered_beside() -> None:
    """Three times in a row; and the first failure of all is not even looked into."""
    passage = Passage()
    assert not failed(passage, answered=True)
    for _ in range(2):
        assert failed(passage, answered=True)
        assert Way.STREAM is passage.way
    assert failed(passage, answered=True)
    assert Way.REPLAY is passage.way


def test_a_server_that_is_down_is_no_reason() -> None:
    """Neither is one that has just come back."""
    passage = Passage()
    for answered in (True, True, True, False, True, True, False, True, True):
        failed(passage, answered=answered)
        assert Way.STREAM is passage.way
    passage.opened()
    assert 0 == passage.doubts
    assert not passage.failed()


def test_the_last_try_looks_around_at_once() -> None:
    """Rather than give up a server that answers."""
    passage = Passage()
    assert passage.failed(last=True)
    assert passage.called(answered=True, now=0.0, last=True)
    assert Way.REPLAY is passage.way


def test_calls_are_the_last_way() -> None:
    """Taken when not even streams get through that end; and left when no call is answered any more."""
    passage = Passage()
    passage.failed(last=True)
    passage.called(answered=True, now=0.0, last=True)
    assert not failed(passage, answered=True)
    assert failed(passage, answered=True)
    assert Way.CALL is passage.way
    passage.unanswered()
    assert (Way.STREAM, 0) == way_and_doubts(passage)


def test_streams_are_tried_again_once_in_a_while() -> None:
    """After five minutes; one more failure is enough to go back."""
    passage = Passage()
    passage.failed(last=True)
    passage.called(answered=True, now=100.0, last=True)
    passage.look_again(399.0)
    assert (Way.REPLAY, 1) == way_and_doubts(passage)
    passage.look_again(400.0)
    assert (Way.STREAM, 2) == way_and_doubts(passage)
    assert failed(passage, answered=True, now=405.0)
    passage.look_again(410.0)
    assert (Way.REPLAY, 3) == way_and_doubts(passage)
