"""An index of the names that the product's sources define."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["PACKAGES", "ROOT", "Definitions", "modules", "public_classes"]

ROOT: Final = Path(__file__).parents[3]

PACKAGES: Final = {
    "server": ROOT / "server" / "milepost" / "server",
    "client": ROOT / "client" / "milepost" / "client",
    "web": ROOT / "web" / "milepost" / "web",
    "testing": ROOT / "client" / "milepost" / "testing",
    "fold": ROOT / "protos" / "milepost" / "fold",
    "contract": ROOT / "protos" / "milepost" / "contract",
}
"""The directories of the packages, by name."""

_PROTOS: Final = ROOT / "protos" / "milepost" / "v1"


def modules(package: Path) -> Iterator[Path]:
    """The modules of a package, without ``__init__``."""
    return (path for path in sorted(package.rglob("*.py")) if not path.stem.startswith("__"))


def public_classes(module: Path) -> Iterator[str]:
    """The names of the public classes at the top level of a module."""
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


class Definitions:
    """All names that the product's sources define.

    Attributes:
        names: Functions, methods, classes, and the names of the contract.
        members: The members of each class, message and service, and the functions of each module or package.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.members: defaultdict[str, set[str]] = defaultdict(set)
        for package in PACKAGES.values():
            for path in sorted(package.rglob("*.py")):
                self._add_module(path)
        for path in _PROTOS.glob("*.proto"):
            self._add_contract(path.read_text())

    def has(self, name: str) -> bool:
        """Whether a name, such as ``open`` or ``Journal.open``, is defined."""
        owner, _, member = name.rpartition(".")
        return member in self.members[owner] if owner else member in self.names

    def _add_module(self, path: Path) -> None:
        scope = path.parent.name if path.stem == "__init__" else path.stem
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                self._add_class(node)
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                self.names.add(node.name)
                self.members[scope].add(node.name)
            if isinstance(node, ast.ImportFrom) and path.stem == "__init__":
                self.members[scope].update(alias.asname or alias.name for alias in node.names)

    def _add_class(self, class_: ast.ClassDef) -> None:
        for node in class_.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.names.add(node.name)
                self.members[class_.name].add(node.name)

    def _add_contract(self, text: str) -> None:
        self.names.update(re.findall(r"\w+", re.sub(r"//.*", "", text)))
        for _, name, body in re.findall(r"(message|service) (\w+) \{(.*?)\n\}", text, re.DOTALL):
            self.members[name].update(re.findall(r"rpc (\w+)", body))
            self.members[name].update(re.findall(r"(\w+) = \d+", body))
