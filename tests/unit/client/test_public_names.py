"""`milepost.client` exposes exactly the names that its README documents."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import milepost.client

README = Path(__file__).parents[3] / "client" / "README.md"


def section() -> str:
    """The README's section on public names."""
    return README.read_text().partition("## Public names\n")[2].partition("\n## ")[0]


def test_exported_names_are_the_documented_ones() -> None:
    """A new export needs a line in the README, and the first column of its table has nothing else."""
    cells = re.findall(r"^\| (`.*?) \|", section(), re.MULTILINE)
    documented = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]

    assert sorted(documented) == milepost.client.__all__


def test_every_exported_name_can_be_imported() -> None:
    """Each is resolved when it is first used, and `dir` lists it."""
    assert [name for name in milepost.client.__all__ if getattr(milepost.client, name, None) is None] == []
    assert set(milepost.client.__all__) <= set(dir(milepost.client))


def test_public_modules_are_the_documented_ones() -> None:
    """Every other module starts with an underscore."""
    modules = {module.name for module in pkgutil.iter_modules(milepost.client.__path__)}

    assert {name for name in modules if not name.startswith("_")} == set(
        re.findall(r"`milepost\.client\.(\w+)`", section())
    )
