"""A command in a process group of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Final

__all__ = ["Group"]

# Seconds between two looks at whether anything of the group is left.
_LOOK: Final = 0.02
# Seconds for what was killed to be gone.
_GONE: Final = 5.0


class Group:
    """The command, and whatever it starts that stays in its process group."""

    def __init__(
        self, command: Sequence[str], stdout: int, stderr: int, environment: Mapping[str, str]
    ) -> None:
        """Starts it, in the running loop. It reads what this process would, save from a terminal.

        On a terminal a command outside of the foreground's group would be stopped as soon as it reads.

        Raises:
            OSError: It cannot be started.
        """
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if sys.stdin is None or sys.stdin.isatty() else None,
            stdout=stdout,
            stderr=stderr,
            env=environment,
            start_new_session=True,
        )
        # It is not reaped before the end: until then its number is surely that of its group.
        self._ended = asyncio.get_running_loop().run_in_executor(None, _wait_for, self._process.pid)

    async def wait(self) -> None:
        """Waits until the command has ended; others of its group may go on."""
        await asyncio.wait((self._ended,))

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the whole group."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    async def stop(self, patience: Coroutine[None, None, None]) -> None:
        """SIGTERM, and when `patience` is over SIGKILL to what is left; then nothing of the group is left."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # what is stopped would not hear it
        gone, waiting = asyncio.create_task(self._gone()), asyncio.create_task(patience)
        try:
            await asyncio.wait((gone, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            self.signal(signal.SIGKILL)
        await asyncio.wait((gone,), timeout=_GONE)
        gone.cancel()

    def status(self) -> int:
        """How the command ended: its exit status, or a signal's number as a negative one."""
        return self._process.wait()

    async def _gone(self) -> None:
        await self.wait()
        while _is_alive(self._process.pid):  # noqa: ASYNC110 - nobody tells when a group has ended
            await asyncio.sleep(_LOOK)


def _wait_for(pid: int) -> None:
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def _is_alive(group: int) -> bool:
    """Whether anything in the group runs, as far as the system tells; what has ended and is not reaped does not."""
    proc = Path("/proc")
    return (proc / "self" / "stat").exists() and any(
        _runs_in(entry, group) for entry in proc.iterdir() if entry.name.isdecimal()
    )


def _runs_in(process: Path, group: int) -> bool:
    try:
        stat = (process / "stat").read_bytes()
    except OSError:
        return False
    # After the name in parentheses, which may hold anything: state, parent, group.
    state, _parent, its_group, *_ = stat[stat.rindex(b")") + 1 :].split()
    return int(its_group) == group and state not in (b"Z", b"X")
