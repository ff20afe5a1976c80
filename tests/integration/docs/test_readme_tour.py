"""The README's tour, pasted as one block into a shell: it does not depend on timing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.command import environment
from tests.support.ports import free_port, give_back
from tests.support.server import MILEPOST

ROOT = Path(__file__).parents[3]
SET_UP = ("make setup", "export PATH=")


def commands() -> list[str]:
    """The commands of the section, without the setup."""
    (section,) = re.findall(
        r"^## A tour of five minutes\n(.*?)(?=^## )",
        (ROOT / "README.md").read_text(),
        re.DOTALL | re.MULTILINE,
    )
    blocks = re.findall(r"^```console\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    lines = [
        line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")
    ]
    return [line for line in lines if not line.startswith(SET_UP)]


def paste(lines: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the commands in a shell, in a directory like the checkout; return the failed ones."""
    (directory / "examples").symlink_to(ROOT / "examples")
    shutil.copytree(ROOT / "protos" / "milepost" / "v1", directory / "protos")
    (directory / ".venv").mkdir()
    # Takes xz long enough to be cancelled.
    (directory / ".venv" / "large").write_bytes(os.urandom(40_000_000))
    port = free_port()
    path = f"{MILEPOST.parent}{os.pathsep}{os.environ['PATH']}"
    script = ["trap 'echo \"failed with $?: $BASH_COMMAND\" >&2' ERR", *lines]
    try:
        return subprocess.run(
            ["bash", "-s"],
            input="\n".join(script) + "\n",
            cwd=directory,
            # On a machine with other work the server may need more than the five seconds that commands wait by default.
            env=environment(f"127.0.0.1:{port}", {"PATH": path, "MILEPOST_CONNECT_TIMEOUT": "60s"}),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    finally:
        give_back(port)


def test_the_tour_begins(tmp_path: Path) -> None:
    """A job is submitted while the server starts, and followed to its end."""
    lines = commands()
    begin = lines[: next(number for number, line in enumerate(lines) if "--watch" in line) + 1]
    done = paste([*begin, "kill %1 %2; wait"], tmp_path)

    assert len(begin) == 3
    assert [line for line in done.stderr.splitlines() if line.startswith(("failed", "Error"))] == []
    assert re.search(r"^\d\d:\d\d:\d\d  succeeded in ", done.stderr, re.MULTILINE)
    assert '"sha256":' in done.stdout


@pytest.mark.nightly
def test_the_whole_tour(tmp_path: Path) -> None:
    """Only the cancelled job has another status than 0, as the README says."""
    done = paste(commands(), tmp_path)
    failed = [line for line in done.stderr.splitlines() if line.startswith(("failed", "Error"))]

    assert [line.partition(" --reason")[0] for line in failed] == ["failed with 3: milepost cancel $JOB"]
    assert "status 3\n" in done.stdout
    assert not (tmp_path / "tour").exists()
