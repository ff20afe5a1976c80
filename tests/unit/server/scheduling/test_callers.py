"""Callers, and fair turns among them."""

from __future__ import annotations

import pytest

from milepost.server.access.current_principal import caller_of
from milepost.server.access.principal import ANONYMOUS, Principal
from milepost.server.scheduling.callers import Turns


@pytest.mark.parametrize(
    ("peer", "caller"),
    [
        ("ipv4:10.0.0.1:1000", "ipv4:10.0.0.1"),
        ("ipv4:10.0.0.1:1001", "ipv4:10.0.0.1"),
        ("ipv6:%5B::1%5D:1000", "ipv6:%5B::1%5D"),
        ("unix:", "unix"),
    ],
)
def test_a_caller_without_a_credential_is_a_host(peer: str, caller: str) -> None:
    """All connections of a host are one caller, whatever their ports."""
    assert caller_of(ANONYMOUS, peer) == caller


def test_a_caller_with_a_credential_is_its_subject() -> None:
    """On however many hosts and with however many credentials; no subject is the key of a host."""
    here, there = "ipv4:10.0.0.1:1000", "ipv4:10.0.0.2:1000"
    first = Principal("ci", frozenset({"a"}), frozenset(), credential_id="1")
    second = Principal("ci", frozenset({"b"}), frozenset(), credential_id="2")
    other = Principal("ipv4:10.0.0.1", frozenset({"a"}), frozenset())

    assert caller_of(first, here) == caller_of(second, there)
    assert len({caller_of(principal, here) for principal in (first, other, ANONYMOUS)}) == 3


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
