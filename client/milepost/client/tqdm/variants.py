"""Subclasses of tqdm's bars for other displays that report to the current job."""

from __future__ import annotations

import importlib
from typing import Any, cast

from milepost.client.tqdm.reporting import Reporting
from milepost.client.tqdm.std import tqdm

__all__ = ["variant"]


def variant(module: str, name: str, *mixins: type) -> type[tqdm[Any]]:
    """A reporting subclass of a class of tqdm. The caller binds it to the same name.

    Raises:
        ImportError: tqdm, or a package that its module needs, is not installed.
    """
    tqdm_module = importlib.import_module(module)
    namespace = {
        "__module__": module.replace("tqdm", "milepost.client.tqdm", 1),
        "__doc__": getattr(tqdm_module, name).__doc__,
    }
    return cast("type[tqdm[Any]]", type(name, (*mixins, Reporting, getattr(tqdm_module, name)), namespace))
