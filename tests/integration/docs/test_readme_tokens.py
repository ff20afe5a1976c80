"""The README's section on tokens and contexts, as written, in one shell."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.support.command import environment
from tests.support.ports import free_port, give_back
from tests.support.server import MILEPOST

README = Path(__file__).parents[3] / "README.md"
ADDRESS = "127.0.0.1:7071"


def blocks(language: str) -> list[str]:
    """The section's blocks in this language."""
    (section,) = re.findall(
        r"^## Who may do what\n(.*?)(?=^## )", README.read_text(), re.DOTALL | re.MULTILINE
    )
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


def test_the_readmes_section(tmp_path: Path) -> None:
    """A server with tokens, a context, and a program."""
    port = free_port()
    (program,) = blocks("python")
    (tmp_path / "program.py").write_text(program.replace(ADDRESS, f"127.0.0.1:{port}"))
    lines = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]
    script = ["set -e", "trap 'kill %1; wait' EXIT", *lines, "python program.py"]
    settings = {
        "PATH": f"{MILEPOST.parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "MILEPOST_CONNECT_TIMEOUT": "60s",  # a busy machine may take longer than the default to start the server
    }
    try:
        done = subprocess.run(
            ["bash", "-c", "\n".join(script).replace(ADDRESS, f"127.0.0.1:{port}")],
            cwd=tmp_path,
            env=environment(None, settings),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        give_back(port)

    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"Token \w+ for 'ann'\. Keep it: it is not shown again\.\n", done.stderr)
    assert "subject     ann\nowners      team-a\nscopes      cancel, read, submit\n" in done.stdout
    assert done.stdout.splitlines()[-1] == "[('nightly', 'team-a')]"
    assert {path.name: path.stat().st_mode & 0o077 for path in tmp_path.glob("*tok*")} == {
        "ann.token": 0,
        "tokens.toml": 0,
    }
