"""Another module has the name of one in the working directory: what is imported is then not what the user means."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["taken_name"]


def taken_name(module: str) -> str:
    """Say that `module` is another one than that of the working directory, after it was imported; empty if it is that.

    Python looks for a module in the working directory only if none of this name was imported before: those of the
    standard library that Milepost itself needs, such as ``queue`` or ``types``, always were.
    """
    package = module.partition(".")[0]
    found = sys.modules.get(package)
    if found is None:  # it could not be imported at all
        return ""
    own = (Path.cwd() / f"{package}.py", Path.cwd() / package / "__init__.py")
    file = getattr(found, "__file__", None)
    if file is not None and Path(file) in own:
        return ""
    if package in sys.stdlib_module_names:
        return f"{package!r} is a module of Python's standard library; give yours another name"
    if any(path.exists() for path in own):
        return f"a module {package!r} was imported before, from {file}; give yours another name"
    return ""
