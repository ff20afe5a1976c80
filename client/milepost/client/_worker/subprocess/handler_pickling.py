"""How a handler gets into another process: by its name, or, where it is more than a function, by pickling."""

from __future__ import annotations

import io
import logging
import pickle
import sys
import traceback
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from milepost.client._worker.handlers import Handler
from milepost.client.errors import JobFailure
from milepost.v1 import Job

__all__ = ["PickledHandler", "is_loading"]

_loading = False


def is_loading() -> bool:
    """Whether this is the process of a handler, which is being imported."""
    return _loading


@dataclass(frozen=True, slots=True)
class PickledHandler:
    """What a process needs to work on a job."""

    job: bytes
    handler: bytes
    main: str | None
    package: str | None
    arguments: list[str]
    log_level: int | None

    @classmethod
    def of(cls, job: Job, handler: Handler) -> PickledHandler:
        """Packs the job and its handler.

        Raises:
            JobFailure: The handler cannot be found by its name, or holds something that cannot be pickled.
        """
        main = sys.modules["__main__"]
        try:
            pickled = pickle.dumps(handler)
        except Exception as error:
            text = f"The handler cannot be found by its name, or pickled: {error}"
            raise JobFailure("HANDLER_NOT_LOADED", text) from error
        return cls(
            job=job.SerializeToString(),
            handler=pickled,
            main=getattr(main, "__file__", None),
            package=main.__package__,
            arguments=sys.argv,
            log_level=logging.root.level if logging.root.handlers else None,
        )

    def unpack(self) -> Handler:
        """The handler, imported. Where that does not set up logging, and the worker has it, lines go to stderr.

        Raises:
            JobFailure: It cannot be imported here.
        """
        global _loading  # noqa: PLW0603 - of the process, which has one handler
        _loading = True
        try:
            handler = cast("Handler", _Unpickler(self).load())
        except (Exception, SystemExit) as error:
            text = f"The handler cannot be loaded in a process of its own: {type(error).__name__}: {error}"
            detail = "".join(traceback.format_exception(error))
            raise JobFailure("HANDLER_NOT_LOADED", text, detail, retryable=True) from error
        finally:
            _loading = False
        if self.log_level is not None:
            logging.basicConfig(level=self.log_level)
        return handler


class _Unpickler(pickle.Unpickler):
    """Runs the worker's own script only where something of it is asked for, and under another name than `__main__`."""

    def __init__(self, parcel: PickledHandler) -> None:
        super().__init__(io.BytesIO(parcel.handler))
        self._parcel = parcel

    def find_class(self, module: str, name: str, /) -> Any:
        if module == "__main__":
            _run_main(self._parcel)
        return super().find_class(module, name)


def _run_main(parcel: PickledHandler) -> None:
    # The name that multiprocessing gives it, too: code that knows of the one is right for the other.
    name = "__mp_main__"
    if name in sys.modules:
        return
    if parcel.main is None:
        raise ImportError("it was defined at a prompt, and not in a file")
    main = types.ModuleType(name)
    main.__file__ = parcel.main
    main.__package__ = parcel.package
    sys.modules[name] = sys.modules["__main__"] = main
    exec(compile(Path(parcel.main).read_bytes(), parcel.main, "exec"), main.__dict__)
