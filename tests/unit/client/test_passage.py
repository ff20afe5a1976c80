"""What is done where streams do not get through is decided by what does (and the time is passed in)."""

from __future__ import annotations

from milepost.client._watch.transport_fallback import TransportFallback, TransportMode


def failed(passage: TransportFallback, *, answered: bool, now: float = 0.0) -> bool:
    """A stream does not open, and a call is tried where that is due; whether it was."""
    due = passage.failed()
    if due:
        passage.called(answered=answered, now=now)
    return due


def way_and_doubts(passage: TransportFallback) -> tuple[TransportMode, int]:
    """How it stands."""
    return passage.way, passage.doubts


def test_streams_are_given_up_when_calls_are_answered_beside() -> None:
    """Three times in a row; and the first failure of all is not even looked into."""
    passage = TransportFallback()
    assert not failed(passage, answered=True)
    for _ in range(2):
        assert failed(passage, answered=True)
        assert passage.way is TransportMode.STREAM
    assert failed(passage, answered=True)
    assert passage.way is TransportMode.REPLAY


def test_a_server_that_is_down_is_no_reason() -> None:
    """Neither is one that has just come back."""
    passage = TransportFallback()
    for answered in (True, True, True, False, True, True, False, True, True):
        failed(passage, answered=answered)
        assert passage.way is TransportMode.STREAM
    passage.opened()
    assert passage.doubts == 0
    assert not passage.failed()


def test_the_last_try_looks_around_at_once() -> None:
    """Rather than give up a server that answers."""
    passage = TransportFallback()
    assert passage.failed(last=True)
    assert passage.called(answered=True, now=0.0, last=True)
    assert passage.way is TransportMode.REPLAY


def test_calls_are_the_last_way() -> None:
    """Taken when not even streams get through that end; and left when no call is answered any more."""
    passage = TransportFallback()
    passage.failed(last=True)
    passage.called(answered=True, now=0.0, last=True)
    assert not failed(passage, answered=True)
    assert failed(passage, answered=True)
    assert passage.way is TransportMode.CALL
    passage.unanswered()
    assert way_and_doubts(passage) == (TransportMode.STREAM, 0)


def test_streams_are_tried_again_once_in_a_while() -> None:
    """After five minutes; one more failure is enough to go back."""
    passage = TransportFallback()
    passage.failed(last=True)
    passage.called(answered=True, now=100.0, last=True)
    passage.look_again(399.0)
    assert way_and_doubts(passage) == (TransportMode.REPLAY, 1)
    passage.look_again(400.0)
    assert way_and_doubts(passage) == (TransportMode.STREAM, 2)
    assert failed(passage, answered=True, now=405.0)
    passage.look_again(410.0)
    assert way_and_doubts(passage) == (TransportMode.REPLAY, 3)
