"""Replace the product's sources of randomness by seeded ones during a run; and other changes of its modules."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple

from milepost.client._transport import backoff

__all__ = ["Change", "changed", "from_seed"]


class Change(NamedTuple):
    """A replacement for one name of a module or class."""

    owner: Any
    name: str
    value: Any


@contextmanager
def changed(*changes: Change) -> Iterator[None]:
    """Make the changes, and undo them on exit."""
    with ExitStack() as stack:
        for owner, name, value in changes:
            stack.callback(setattr, owner, name, vars(owner)[name])
            setattr(owner, name, value)
        yield


def from_seed(seed: str) -> list[Change]:
    """The changes that make ids and waits of this thread depend on the seed.

    Other threads of the process, as those of servers and clients of other tests, would use up the seed's numbers.
    """
    source = Random(seed)
    return [
        Change(uuid, "uuid4", _here(lambda: uuid.UUID(int=source.getrandbits(128), version=4), uuid.uuid4)),
        Change(secrets, "randbits", _here(source.getrandbits, secrets.randbits)),
        Change(secrets, "token_hex", _here(lambda size=32: source.randbytes(size).hex(), secrets.token_hex)),
        Change(
            backoff,
            "random",
            SimpleNamespace(Random=_here(lambda: Random(source.getrandbits(64)), Random)),
        ),
    ]


def _here(function: Callable[..., Any], elsewhere: Callable[..., Any]) -> Callable[..., Any]:
    """Call the one function in this thread, and the other one in all others."""
    thread = threading.get_ident()
    return lambda *arguments: (function if threading.get_ident() == thread else elsewhere)(*arguments)
