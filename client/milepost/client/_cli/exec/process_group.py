"""A command in its own process group and session."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import signal
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Final

__all__ = ["ProcessGroup"]

# Seconds between two checks whether the group still has processes.
_POLL_INTERVAL: Final = 0.02
# Seconds to wait for killed processes to disappear.
_KILL_TIMEOUT: Final = 5.0
# Interpreter of scripts without a shebang.
_SHELL: Final = "/bin/sh"
# Bytes of a file to read in order to tell text from binary.
_SNIFF_SIZE: Final = 128


class ProcessGroup:
    """A command and its descendants that stay in its process group.

    As process 1 of a container, or as a subreaper (`PR_SET_CHILD_SUBREAPER`), this process also reaps orphans until the
    command ends; it must have no other children that are waited for elsewhere.
    """

    def __init__(
        self, command: Sequence[str], output: tuple[int, int] | str, environment: Mapping[str, str]
    ) -> None:
        """Start the command, in the running loop. It inherits stdin, unless that is a terminal.

        The terminal would stop a command outside its foreground group at the first read.

        Args:
            command: The program and its arguments. The shell runs a script without a shebang.
            output: File descriptors for stdout and stderr; or the path of a terminal for both, which becomes the
                controlling terminal of the command's session, with the command in the foreground.
            environment: The complete environment.

        Raises:
            OSError: The command cannot be started.
        """
        try:
            self._pid = _spawn(command, output, environment)
        except OSError as error:
            path = shutil.which(command[0]) or command[0]
            if error.errno != errno.ENOEXEC or not _is_text(path):
                raise
            self._pid = _spawn([_SHELL, path, *command[1:]], output, environment)
        # Not reaped while this process lives, so that the process id keeps naming its group.
        self._ended = asyncio.get_running_loop().run_in_executor(None, _wait_for, self._pid)

    async def wait(self) -> int:
        """Wait until the command has ended; other processes of its group may continue.

        Returns:
            The exit status, or the negative number of the signal that ended the command.
        """
        await asyncio.wait((self._ended,))
        return self._ended.result()

    @property
    def has_ended(self) -> bool:
        """Whether the command has ended, even if `wait` has not returned yet."""
        return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, number)

    async def stop(self, grace: Coroutine[None, None, None]) -> None:
        """Send SIGTERM to the group, and SIGKILL to what is left when `grace` returns. Wait until the group is gone."""
        self.signal(signal.SIGTERM)
        # A stopped process receives SIGTERM only once it continues.
        self.signal(signal.SIGCONT)
        gone, waiting = asyncio.create_task(self._gone()), asyncio.create_task(grace)
        try:
            await asyncio.wait((gone, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            self.signal(signal.SIGKILL)
        await asyncio.wait((gone,), timeout=_KILL_TIMEOUT)
        gone.cancel()

    async def _gone(self) -> None:
        await self.wait()
        while _is_alive(self._pid):  # noqa: ASYNC110 - nobody tells when a group has ended
            await asyncio.sleep(_POLL_INTERVAL)


def _spawn(command: Sequence[str], output: tuple[int, int] | str, environment: Mapping[str, str]) -> int:
    """Start a process in its own session.

    `subprocess` could set a controlling terminal only in a fork of this multithreaded process. Here the first terminal
    that the session leader opens becomes the controlling one.
    """
    actions: list[tuple[int, int, int] | tuple[int, int, str, int, int]] = []
    if not _is_open(0) or os.isatty(0):
        actions.append((os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0))
    if isinstance(output, str):
        actions += [(os.POSIX_SPAWN_OPEN, 1, output, os.O_RDWR, 0), (os.POSIX_SPAWN_DUP2, 1, 2)]
    else:
        actions += [(os.POSIX_SPAWN_DUP2, output[0], 1), (os.POSIX_SPAWN_DUP2, output[1], 2)]
    # Python ignores these signals; commands expect the defaults.
    defaults = (signal.SIGPIPE, signal.SIGXFSZ)
    return os.posix_spawnp(
        command[0], list(command), environment, file_actions=actions, setsid=True, setsigdef=defaults
    )


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _is_text(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            return b"\0" not in file.read(_SNIFF_SIZE)
    except OSError:
        return False


def _wait_for(pid: int) -> int:
    while True:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        if ended is None:
            continue
        if ended.si_pid == pid:
            return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        with contextlib.suppress(ChildProcessError):
            os.waitpid(ended.si_pid, os.WNOHANG)


def _is_alive(group: int) -> bool:
    """Whether a process of the group is running, apart from zombies; False without ``/proc``."""
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
