"""Callers, and fair turns among them."""

from __future__ import annotations

import pytest

from milepost.server.base.callers import Turns, caller_of


@pytest.mark.parametrize(
    ("peer", "caller"),
    [
        ("ipv4:10.0.0.1:1000", "ipv4:10.0.0.1"),
        ("ipv4:10.0.0.1:1001", "ipv4:10.0.0.1"),
        ("ipv6:%5B::1%5D:1000", "ipv6:%5B::1%5D"),
        ("unix:", "unix"),
    ],
)
def test_a_caller_is_a_host(peer: str, caller: str) -> None:
    """All connections of a host are one caller, whatever their ports."""
    assert caller_of(peer) == caller


def test_callers_take_turns() -> None:
    """A caller waits for at most one item of each other caller, however many they have; its own keep their order."""
    turns: Turns[str] = Turns()
    for number in range(4):
        turns.put("a", f"a{number}")
    turns.put("b", "b0")
    taken = [turns.take()]
    turns.put("c", "c0")
    turns.put("b", "b1")
    taken += [turns.take() for _ in range(len(turns))]
    assert taken == ["a0", "b0", "a1", "c0", "b1", "a2", "a3"]
    with pytest.raises(IndexError):
        turns.take()
