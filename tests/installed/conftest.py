"""The distributions of `make dist`, and environments outside the tree to install them into."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import environment

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")

# Against hangs only; in seconds.
_GUARD = 240


@dataclass(frozen=True)
class Installed:
    """A fresh environment, isolated from the tree and from the settings of this process."""

    directory: Path

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, in an empty directory beside it."""
        return subprocess.run(
            [self.directory / "bin" / program, *arguments],
            cwd=self.directory.parent,
            env=environment(None) | {"PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_GUARD,
            check=False,
        )

    def packages(self) -> set[str]:
        """The names of the installed distributions."""
        listed = uv("pip", "list", "--format", "freeze", "--python", self.directory)
        return {line.partition("==")[0] for line in listed.splitlines()}


def uv(*arguments: str | Path) -> str:
    """Run uv in the tree; return its output."""
    done = subprocess.run(
        [UV, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=_GUARD, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the output of `make dist`."""
    directory = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        ["make", "dist", f"DIST={directory}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_GUARD,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return directory


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The versions of the lock file as constraints, so that CI installs the same each time."""
    path = tmp_path_factory.mktemp("versions") / "constraints.txt"
    uv(
        "export",
        "--quiet",
        "--frozen",
        "--all-groups",
        "--no-emit-workspace",
        "--no-hashes",
        "--output-file",
        path,
    )
    return path


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Create empty environments with the Python that runs the tests."""

    def make(name: str) -> Path:
        directory = tmp_path_factory.mktemp(name) / "environment"
        uv("venv", "--quiet", "--python", sys.executable, directory)
        return directory

    return make


@pytest.fixture(scope="session")
def install(dist: Path, versions: Path, fresh: Callable[[str], Path]) -> Callable[..., Installed]:
    """Install requirements into a fresh environment, ours from the wheels in `dist`."""
    made: dict[tuple[str, ...], Installed] = {}

    def make(*requirements: str, binary: bool = True) -> Installed:
        if requirements not in made:
            directory = fresh("installed")
            uv(
                *("pip", "install", "--quiet", "--python", directory),
                *("--find-links", dist, "--constraints", versions),
                *(("--only-binary", ":all:") if binary else ()),
                *requirements,
            )
            made[requirements] = Installed(directory)
        return made[requirements]

    return make
