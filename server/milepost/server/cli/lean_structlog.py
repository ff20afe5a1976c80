"""Import structlog without rich."""

from __future__ import annotations

import importlib
import sys

__all__ = ["import_without_rich"]


def import_without_rich() -> None:
    """Import structlog, which imports rich where that is installed, for tracebacks on terminals.

    The server's are plain, in ``log_output``, and rich takes 0.2 s of a start of a second, and 4 MB. Nothing happens
    if either was imported before.
    """
    if "structlog" not in sys.modules and "rich" not in sys.modules:
        # An import of it fails from now on: https://docs.python.org/3/reference/import.html#the-module-cache
        sys.modules["rich"] = None  # type: ignore[assignment]
        try:
            importlib.import_module("structlog")
        finally:
            del sys.modules["rich"]
