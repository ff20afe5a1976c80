"""Planted bugs: patches, each with the guarantee that it breaks and the tests that must fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["ROOT", "Mutant", "all_mutants", "copy_tree", "missing_tests", "run_tests"]

ROOT: Final = Path(__file__).parents[2]
"""The repository."""

_HEADER: Final = re.compile(r"^(Promise|Killed by): (.+)$", re.MULTILINE)

_FILE: Final = re.compile(r"^\+\+\+ b/(.+)$", re.MULTILINE)

_TIMEOUT: Final = 120
"""Time limit of one test in seconds. A bug may make it hang, which counts as a failure."""


@dataclass(frozen=True)
class Mutant:
    """One planted bug.

    Attributes:
        path: The patch.
        promise: The guarantee that the bug breaks.
        tests: The node ids of the tests that must fail.
    """

    path: Path
    promise: str
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the patch."""
        return self.path.stem

    @property
    def files(self) -> list[str]:
        """The files that it changes, by their paths in the tree."""
        return _FILE.findall(self.path.read_text())

    def apply(self, tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
        """Plant the bug in a copy of the tree."""
        # Outside a repository, where `git apply` would skip what another repository around it does not track.
        environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(tree.parent)}
        return subprocess.run(
            ["git", "apply", *options, str(self.path)],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


def all_mutants() -> list[Mutant]:
    """All of them, by name.

    Raises:
        ValueError: A patch lacks its promise or its tests.
    """
    return [_read(path) for path in sorted(Path(__file__).parent.glob("*.patch"))]


def missing_tests(mutant: Mutant, tree: Path) -> list[str]:
    """Those of its tests that do not exist."""
    missing = []
    for test in mutant.tests:
        file, _, name = test.partition("::")
        source = tree / file
        function = name.partition("[")[0].rpartition("::")[2]
        if not source.is_file() or not re.search(
            rf"^\s*(async )?def {function}\(", source.read_text(), re.MULTILINE
        ):
            missing.append(test)
    return missing


def copy_tree(target: Path) -> None:
    """Copy what the tests run from: all that git tracks, as it is in the work tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, copy = ROOT / name, target / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)


def run_tests(tree: Path, tests: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run these tests on the code of that tree, and that of its child processes, until one fails.

    A bug may make each parameter of a test wait for its limit; the first one is the verdict.
    """
    members = [str(tree / member) for member in ("protos", "client", "web", "server")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(members), "PYTHONDONTWRITEBYTECODE": "1"}
    options = ["-qx", "-m", "", "-p", "no:cacheprovider", "--timeout", str(_TIMEOUT), "--rootdir", str(tree)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=tree,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _read(path: Path) -> Mutant:
    head = path.read_text().partition("\ndiff --git ")[0]
    found = _HEADER.findall(head)
    promises = [value for name, value in found if name == "Promise"]
    tests = tuple(value.strip() for name, value in found if name == "Killed by")
    if len(promises) != 1 or not tests:
        raise ValueError(f"{path.name} needs one line 'Promise: …' and at least one 'Killed by: …'.")
    return Mutant(path, promises[0], tests)
