"""The classes that tqdm has for other displays, made to report to the job at hand."""

from __future__ import annotations

import importlib
from typing import Any, cast

from milepost.client.tqdm.reporting import Reporting
from milepost.client.tqdm.std import tqdm

__all__ = ["variant"]


def variant(module: str, name: str, *mixins: type) -> type[tqdm[Any]]:
    """The class of that name in that module of tqdm, made to report. To be bound to the same name by who asks for it.

    Raises:
        ImportError: tqdm, or what its module needs, is not installed.
    """
    real = importlib.import_module(module)
    space = {
        "__module__": module.replace("tqdm", "milepost.client.tqdm", 1),
        "__doc__": getattr(real, name).__doc__,
    }
    return cast("type[tqdm[Any]]", type(name, (*mixins, Reporting, getattr(real, name)), space))
