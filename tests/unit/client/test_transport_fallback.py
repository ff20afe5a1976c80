"""The transport fallback, with the time as an argument."""

from __future__ import annotations

from milepost.client._watch.transport_fallback import TransportFallback, TransportMode


def failed(fallback: TransportFallback, *, answered: bool, now: float = 0.0) -> bool:
    """Report a failed stream, and probe with a call if due; return whether it was due."""
    due = fallback.stream_failed()
    if due:
        fallback.probed(answered=answered, now=now)
    return due


def blocked(now: float) -> TransportFallback:
    """A fallback that has given up streams at that time."""
    fallback = TransportFallback()
    for _ in range(2):
        fallback.stream_failed(last=True)
        fallback.probed(answered=True, now=now, last=True)
    assert fallback.mode is TransportMode.REPLAY
    return fallback


def mode_and_blocked_streams(fallback: TransportFallback) -> tuple[TransportMode, int]:
    """The mode, and whether streams are blocked."""
    return fallback.mode, fallback.blocked_streams


def test_streams_are_given_up_when_calls_are_answered_beside() -> None:
    """After three failures in a row; the first failure causes no probe."""
    fallback = TransportFallback()
    assert not failed(fallback, answered=True)
    for _ in range(2):
        assert failed(fallback, answered=True)
        assert fallback.mode is TransportMode.STREAM
    assert failed(fallback, answered=True)
    assert fallback.mode is TransportMode.REPLAY


def test_an_outage_does_not_cause_a_fallback() -> None:
    """Nor does a server that is just back."""
    fallback = TransportFallback()
    for answered in (True, True, True, False, True, True, False, True, True):
        failed(fallback, answered=answered)
        assert fallback.mode is TransportMode.STREAM
    fallback.stream_opened()
    assert fallback.blocked_streams == 0
    assert not fallback.stream_failed()


def test_the_last_try_looks_around_at_once() -> None:
    """So that a server that answers is not given up. One more stream says whether it is just back, or streams are
    blocked.
    """
    fallback = TransportFallback()
    assert fallback.stream_failed(last=True)
    assert not fallback.probed(answered=True, now=0.0, last=True)
    assert mode_and_blocked_streams(fallback) == (TransportMode.STREAM, 1)
    assert fallback.stream_failed(last=True)
    assert fallback.probed(answered=True, now=0.0, last=True)
    assert fallback.mode is TransportMode.REPLAY


def test_calls_are_the_last_way() -> None:
    """Used when not even finite streams get through; left when calls fail."""
    fallback = blocked(0.0)
    assert not failed(fallback, answered=True)
    assert failed(fallback, answered=True)
    assert fallback.mode is TransportMode.CALL
    fallback.call_failed()
    assert mode_and_blocked_streams(fallback) == (TransportMode.STREAM, 0)


def test_streams_are_tried_again_once_in_a_while() -> None:
    """After five minutes; one failure is enough to fall back again."""
    fallback = blocked(100.0)
    fallback.retry_stream(399.0)
    assert mode_and_blocked_streams(fallback) == (TransportMode.REPLAY, 2)
    fallback.retry_stream(400.0)
    assert mode_and_blocked_streams(fallback) == (TransportMode.STREAM, 2)
    assert failed(fallback, answered=True, now=405.0)
    fallback.retry_stream(410.0)
    assert mode_and_blocked_streams(fallback) == (TransportMode.REPLAY, 3)
