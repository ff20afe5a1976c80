"""The oldest Celery that is supported, beside the newest, which is the one of the other tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]
UV: Final = Path(sys.executable).with_name("uv")
OLDEST: Final = "5.6"
MATRIX: Final = (
    "test_celery",
    "test_celery_canvas",
    "test_celery_ends",
    "test_celery_own_ends",
    "test_celery_options",
    "test_celery_pools",
)
"""Modules of this directory: ends, retries, canvases, cancelling, revoking, time limits, kills, redelivery, pools."""
ITS_OWN: Final = ("-W", "ignore:Call to deprecated setex:DeprecationWarning", "-p", "no:unraisableexception")
"""Celery 5.6 calls what newer packages of Redis advise against, and leaves sockets to the garbage collector."""
# Against hangs only; in seconds.
_GUARD: Final = 1500


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A directory with that Celery and what it requires, of the package index."""
    directory = tmp_path / "packages"
    command: list[str | Path] = [
        UV,
        "pip",
        "install",
        "--quiet",
        "--python",
        sys.executable,
        "--target",
        directory,
    ]
    done = subprocess.run(
        [*command, f"celery[redis]=={OLDEST}.*"], capture_output=True, text=True, timeout=_GUARD, check=False
    )
    assert done.returncode == 0, done.stderr
    return directory


@pytest.mark.nightly
@pytest.mark.timeout(2 * _GUARD)
def test_everything_holds_with_the_oldest_celery(packages: Path) -> None:
    """The tests of tasks, in a process of their own, whose workers have the same packages: before those of the tree."""
    environment = {**os.environ, "PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"}
    version = [sys.executable, "-c", "import celery; print(celery.__version__)"]
    tests = [Path(__file__).with_name(f"{name}.py") for name in MATRIX]
    options = ("-q", "-n", "0", "--timeout", "120", "-m", "not nightly", "-p", "no:cacheprovider")

    found = subprocess.run(version, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.startswith(f"{OLDEST}.")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *ITS_OWN, *tests],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_GUARD,
        check=False,
    )
    assert done.returncode == 0, done.stdout
