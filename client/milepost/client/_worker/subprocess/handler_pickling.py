"""Transfer of a handler to another process: by its name or, if it is more than a function, by pickling."""

from __future__ import annotations

import io
import logging
import pickle
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from milepost.client._worker.failure_report import traceback_of
from milepost.client._worker.handlers import Handler
from milepost.client._worker.truncation import text_of
from milepost.client.errors import JobFailure
from milepost.v1 import Job

__all__ = ["PickledHandler", "is_loading"]

_loading = False


def is_loading() -> bool:
    """Whether this handler process is importing its handler."""
    return _loading


@dataclass(frozen=True, slots=True)
class PickledHandler:
    """A job and its handler, pickled for a handler process."""

    job: bytes
    handler: bytes
    main: str | None
    package: str | None
    arguments: list[str]
    log_level: int | None

    @classmethod
    def of(cls, job: Job, handler: Handler) -> PickledHandler:
        """Pickle the job and its handler.

        Raises:
            JobFailure: The handler cannot be found by its name, or cannot be pickled.
        """
        main = sys.modules["__main__"]
        try:
            pickled = pickle.dumps(handler)
        except Exception as error:
            text = f"The handler cannot be found by its name, or pickled: {text_of(error)}"
            raise JobFailure("HANDLER_NOT_LOADED", text) from error
        return cls(
            job=job.SerializeToString(),
            handler=pickled,
            main=getattr(main, "__file__", None),
            package=main.__package__,
            arguments=sys.argv,
            log_level=logging.root.level if logging.root.handlers else None,
        )

    def load(self) -> Handler:
        """Import the handler. If that does not configure logging, but the worker has, log to stderr.

        Raises:
            JobFailure: The handler cannot be imported.
        """
        global _loading  # noqa: PLW0603 - a process has one handler
        _loading = True
        try:
            handler = cast("Handler", _Unpickler(self).load())
        except (Exception, SystemExit) as error:
            why = f"{type(error).__name__}: {text_of(error)}"
            text = f"The handler cannot be loaded in a process of its own: {why}"
            raise JobFailure("HANDLER_NOT_LOADED", text, traceback_of(error), retryable=True) from error
        finally:
            _loading = False
        if self.log_level is not None:
            logging.basicConfig(level=self.log_level)
        return handler


class _Unpickler(pickle.Unpickler):
    """Runs the worker's script only if the handler needs it, and not under the name `__main__`."""

    def __init__(self, pickled_handler: PickledHandler) -> None:
        super().__init__(io.BytesIO(pickled_handler.handler))
        self._pickled_handler = pickled_handler

    def find_class(self, module: str, name: str, /) -> Any:
        if module == "__main__":
            _run_main(self._pickled_handler)
        return super().find_class(module, name)


def _run_main(pickled_handler: PickledHandler) -> None:
    # The name that multiprocessing uses as well, so that code that checks for it works here too.
    name = "__mp_main__"
    if name in sys.modules:
        return
    if pickled_handler.main is None:
        raise ImportError("it was defined at a prompt, and not in a file")
    main = types.ModuleType(name)
    main.__file__ = pickled_handler.main
    main.__package__ = pickled_handler.package
    sys.modules[name] = sys.modules["__main__"] = main
    exec(compile(Path(pickled_handler.main).read_bytes(), pickled_handler.main, "exec"), main.__dict__)
