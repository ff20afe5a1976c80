"""Names are unique within a package, files stay small, and tests stand alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.repository.sources import PACKAGES, ROOT, modules, public_classes

LINES = 400
TYPESCRIPT = ["web/sdk/src", "web/pages/src", "web/testing"]
_MADE = {"node_modules", "build", "dist", ".venv", "gen"}
_OF_A_TEST_MODULE = re.compile(r"^(?:from|import) (tests\.\S*\btest_\w+)", re.MULTILINE)
_CLASS = re.compile(r"^export (?:abstract )?class (\w+)", re.MULTILINE)


def written(pattern: str, *folders: str) -> Iterator[Path]:
    """The files below ``folders`` that somebody wrote, not a tool."""
    for folder in folders:
        for path in (ROOT / folder).rglob(pattern):
            if "_pb2" not in path.name and not _MADE & set(path.relative_to(ROOT).parts):
                yield path


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


@pytest.mark.parametrize("folder", TYPESCRIPT)
def test_names_in_typescript_are_unique(folder: str) -> None:
    """A module's stem and an exported class's name name one of each within the folder."""
    found = [path for path in written("*.ts", folder) if path.stem != "index"]
    classes = [name for path in found for name in _CLASS.findall(path.read_text())]

    assert classes
    assert repeated([path.stem for path in found]) == []
    assert repeated(classes) == []


def test_files_are_short() -> None:
    """A file of Python or TypeScript that somebody wrote has fewer than 400 lines."""
    parts = ("all", "bench", "client", "examples", "protos", "server", "tests", "tools", "web")
    tracked = [path for pattern in ("*.py", "*.ts", "*.tsx") for path in written(pattern, *parts)]
    assert {path.suffix for path in tracked} == {".py", ".ts", ".tsx"}
    long = {str(path.relative_to(ROOT)): lines for path in tracked if (lines := _lines(path)) >= LINES}

    assert long == {}


def test_no_test_module_is_imported() -> None:
    """What tests share is in a module without tests, where the next test looks for it."""
    importing = {
        str(path.relative_to(ROOT)): found
        for path in (ROOT / "tests").rglob("*.py")
        if (found := _OF_A_TEST_MODULE.findall(path.read_text()))
    }

    assert importing == {}


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())
