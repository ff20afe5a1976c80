"""The README's section on the SDK, as written: the worker by the command, and the application as a program."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path

from tests.support.command import environment, started
from tests.support.server import MILEPOST, ServerProcess

README = Path(__file__).parents[3] / "README.md"


def programs() -> list[str]:
    """The section's Python blocks."""
    (section,) = re.findall(r"^## The SDK.*?\n(.*?)(?=^## )", README.read_text(), re.DOTALL | re.MULTILINE)
    return re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


def run(program: Path, address: str) -> subprocess.CompletedProcess[str]:
    """Run it in its directory, as the README says."""
    return subprocess.run(
        [MILEPOST.with_name("python"), program.name],
        cwd=program.parent,
        env=environment(address),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def test_the_readmes_programs(server: ServerProcess, tmp_path: Path) -> None:
    """The job succeeds; the application prints its progress and its result."""
    worker, application = programs()
    (tmp_path / "counting.py").write_text(worker)
    (tmp_path / "application.py").write_text(application)

    async with started("worker", "counting:worker", address=server.address, cwd=tmp_path):
        found = await asyncio.to_thread(run, tmp_path / "application.py", server.address)

    assert (found.returncode, found.stderr) == (0, "")
    *progress, result = found.stdout.splitlines()
    assert (progress[-1], result) == ("100%", "{'sum': 4999950000}")
