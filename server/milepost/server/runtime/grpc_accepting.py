"""Waiting for calls of many methods at the cost of one.

grpc.aio waits for the next call of each registered method (decision 0045), by ``asyncio.wait`` over a future for each:
with every call that comes, that adds a callback to all of them and removes it again. Here each future has its callback
once, so that a call costs the same however many methods there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import KeysView, Reversible
from importlib import import_module
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary


class FirstCompleted:
    """Waits as ``asyncio.wait`` with FIRST_COMPLETED does, for a loop that replaces the completed futures each time."""

    def __init__(self) -> None:
        self._awaited: set[asyncio.Future[Any]] = set()
        self._done: set[asyncio.Future[Any]] = set()
        self._woken: asyncio.Future[None] | None = None

    async def wait(self, futures: Reversible[asyncio.Future[Any]]) -> set[asyncio.Future[Any]]:
        """Return those that have completed, at least one. New ones come at the end of ``futures``."""
        for future in reversed(futures):
            if future in self._awaited or future in self._done:
                break  # all before it are known as well
            self._awaited.add(future)
            future.add_done_callback(self._on_done)
        if not self._done:
            self._woken = asyncio.get_running_loop().create_future()
            await self._woken
        done, self._done = self._done, set()
        return done

    def _on_done(self, future: asyncio.Future[Any]) -> None:
        self._awaited.discard(future)
        self._done.add(future)
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)


_waits: WeakKeyDictionary[asyncio.Task[Any], FirstCompleted] = WeakKeyDictionary()


async def wait(
    futures: Any, *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> tuple[set[Any], set[Any]]:
    """Do as ``asyncio.wait``, except for the one call that grpc.aio's server makes: FIRST_COMPLETED over a dict's keys.

    That one goes through the ``FirstCompleted`` of its task. Its second set is empty, since grpc.aio ignores it.
    """
    task = asyncio.current_task()
    is_first_of_dict = (
        isinstance(futures, KeysView) and timeout is None and return_when == asyncio.FIRST_COMPLETED
    )
    if task is None or not is_first_of_dict:
        return await asyncio.wait(futures, timeout=timeout, return_when=return_when)
    known = _waits.get(task)
    if known is None:
        known = _waits[task] = FirstCompleted()
    return await known.wait(futures), set()


def install() -> None:
    """Have grpc.aio call ``wait``, in this process. Nothing changes if its module no longer imports asyncio by name."""
    cygrpc: Any = import_module("grpc._cython.cygrpc")
    if getattr(cygrpc, "asyncio", None) is asyncio:
        changed = ModuleType(asyncio.__name__)
        vars(changed).update(vars(asyncio), wait=wait)
        cygrpc.asyncio = changed
