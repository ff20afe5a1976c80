"""Replace the product's sources of randomness by seeded ones during a run; and other changes of its modules."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
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
    """The changes that make ids and waits depend on the seed."""
    source = Random(seed)
    return [
        Change(uuid, "uuid4", lambda: uuid.UUID(int=source.getrandbits(128), version=4)),
        Change(secrets, "randbits", source.getrandbits),
        Change(secrets, "token_hex", lambda size=32: source.randbytes(size).hex()),
        Change(backoff, "random", SimpleNamespace(Random=lambda: Random(source.getrandbits(64)))),
    ]
