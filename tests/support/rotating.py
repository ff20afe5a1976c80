"""Tokens that a test replaces and revokes while clients use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from milepost.client import Client
from milepost.client.errors import Unauthenticated
from milepost.v1 import Event
from tests.support.rpc import eventually
from tests.support.server import Server
from tests.support.token_files import Tokens

__all__ = ["SCOPES", "Rotation", "collect", "loaded", "unknown", "until"]

SCOPES = ("submit", "read", "cancel", "work")


class Rotation:
    """A token that is replaced in the server's file again and again; the callable returns the present one."""

    def __init__(self, known: Tokens, name: str, *scopes: str) -> None:
        self._known, self._name, self._scopes = known, name, scopes or SCOPES
        self.count = self.calls = 0
        self.failing = False
        self.current = self._add()

    def __call__(self) -> str:
        """The present token."""
        self.calls += 1
        if self.failing:
            raise ConnectionError("no network")
        return self.current

    def next(self) -> None:
        """Replace the token."""
        self.current = self._add()
        self._known.remove(f"{self._name}-{self.count - 1}")

    def revoke(self) -> None:
        """Remove the token without another one."""
        self._known.remove(f"{self._name}-{self.count}")

    def _add(self) -> str:
        self.count += 1
        return self._known.add(f"{self._name}-{self.count}", ["*"], *self._scopes)


async def loaded(server: Server, token: str) -> None:
    """Wait until the server knows the token."""
    async with Client(server.address, token=token) as client:

        async def is_known() -> bool:
            try:
                await client.whoami()
            except Unauthenticated:
                return False
            return True

        await eventually(is_known)


async def unknown(server: Server, token: str) -> None:
    """Wait until the server does not know the token any more."""
    async with Client(server.address, token=token) as client:

        async def is_unknown() -> bool:
            try:
                await client.whoami()
            except Unauthenticated:
                return True
            return False

        await eventually(is_unknown)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""

    async def holds() -> bool:
        return condition()

    await eventually(holds)


async def collect(watch: Any, ends: int = 1) -> list[Event]:
    """All events of a watch until that many jobs have ended."""
    events: list[Event] = []
    async with watch:
        async for event in watch:
            events.append(event)
            ends -= event.HasField("job_ended")
            if not ends:
                break
    return events
