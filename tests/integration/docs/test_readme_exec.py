"""The README's section on other engines and commands, as written."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from milepost.client import SyncClient
from milepost.v1 import JobState
from tests.support.command import environment
from tests.support.server import MILEPOST, ServerProcess

README = Path(__file__).parents[3] / "README.md"


def blocks(language: str) -> list[str]:
    """The section's blocks in this language."""
    (section,) = re.findall(
        r"^## Any code, any command\n(.*?)(?=^## )", README.read_text(), re.DOTALL | re.MULTILINE
    )
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


def run(command: list[str], address: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run it with the `milepost` command on the path."""
    path = f"{MILEPOST.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment(address, {"PATH": path}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_readmes_script(server: ServerProcess, tmp_path: Path) -> None:
    """It creates a job for itself, which succeeds."""
    (program,) = blocks("python")
    (tmp_path / "nightly.py").write_text(program)

    done = run(["python", "nightly.py"], server.address, tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with SyncClient(server.address) as client:
        (job,) = client.list(kinds=["dump"])
        assert client.result(job.job_id) == {"tables": 2}
        assert job.fraction == 1.0


def test_the_readmes_commands(server: ServerProcess, tmp_path: Path) -> None:
    """Each does what the README says, in one shell."""
    (block,) = blocks("console")
    script = "\n".join(line.removeprefix("$ ") for line in block.splitlines())

    done = run(["bash", "-u", "-c", script], server.address, tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:5] == ["25% copied", "50% copied", "75% copied", "100% copied", "copy-7"]
    assert done.stdout.splitlines()[5:8] == ["file 1/3", "file 2/3", "status 5"]
    with SyncClient(server.address) as client:
        external, made = client.list(kinds=["copy"])
        assert (made.state, client.result(made.job_id)) == (JobState.JOB_STATE_SUCCEEDED, {"exit_status": 0})
        (stage,) = external.stages
        assert (
            external.job_id,
            external.failure.code,
            stage.current,
            stage.total,
        ) == ("copy-7", "EXIT_STATUS", 2, 3)
