"""Names are unique within a package, and files stay small."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.unit.repository.sources import PACKAGES, ROOT, modules, public_classes

LINES = 400
_MADE = {"node_modules", "build", "dist", ".venv"}


def repeated(names: list[str]) -> list[str]:
    """The names that occur more than once."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


@pytest.mark.parametrize("package", PACKAGES)
def test_module_names_are_unique(package: str) -> None:
    """A module's stem names one module of the package."""
    assert repeated([module.stem for module in modules(PACKAGES[package])]) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_public_class_names_are_unique(package: str) -> None:
    """A public class's name names one class of the package."""
    names = [name for module in modules(PACKAGES[package]) for name in public_classes(module)]

    assert repeated(names) == []


def test_files_are_short() -> None:
    """A Python file that somebody wrote has fewer than 400 lines."""
    tracked = [
        path
        for part in ("all", "bench", "client", "examples", "protos", "server", "tests", "tools", "web")
        for path in (ROOT / part).rglob("*.py")
        if "_pb2" not in path.name and not _MADE & set(path.relative_to(ROOT).parts)
    ]
    assert tracked
    long = {str(path.relative_to(ROOT)): lines for path in tracked if (lines := _lines(path)) >= LINES}

    assert long == {}


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())
