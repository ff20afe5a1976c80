"""What makes a bar report to the job at hand: a mixin for the classes of tqdm."""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from milepost.client._worker.bar_stages import BarStage, open_bar
from milepost.client._worker.current_job import current_job

if TYPE_CHECKING:
    from milepost.client.tqdm.plain import PlainBar as _Bar
else:

    class _Bar:
        """Nothing: behind it comes a class of tqdm, or a plain bar."""


__all__ = ["Reporting"]

_Item = TypeVar("_Item")

# The arguments of a bar that may be given by position, in their order.
_ORDER: Final = (
    *("iterable", "desc", "total", "leave", "file"),
    *("ncols", "mininterval", "maxinterval", "miniters", "ascii"),
    *("disable", "unit", "unit_scale", "dynamic_ncols", "smoothing", "bar_format", "initial", "position"),
    *("postfix", "unit_divisor", "write_bytes", "lock_args", "nrows", "colour", "delay", "gui"),
)
# By this option a class method tells a bar the unit of its stage, where the bar learns it only later.
_STAGE_UNIT: Final = "milepost_stage_unit"
_ENDS: Final = (StopIteration, StopAsyncIteration)


class Reporting(_Bar, Generic[_Item]):
    """A bar that is a stage of the job at hand, if there is one when the bar is made.

    As on a display, what is set directly (`n`, `total`, `postfix`) is told with the next `update` or `refresh`.
    """

    _stage: BarStage | None = None
    # What is being handled where the bar is used, and is no concern of what it counts.
    _handled: BaseException | None = None
    _loops = False

    def __init__(self, *args: Any, **options: Any) -> None:
        """Starts it, with the arguments that tqdm's bars have."""
        job = current_job()
        stage_unit = options.pop(_STAGE_UNIT, None)
        placed = dict(zip(_ORDER, args, strict=False))
        given = placed | options
        if job is None or given.get("disable") or placed.keys() & options:
            super().__init__(*args, **options)
            return
        if given.get("file") is None and not _is_terminal(sys.stderr):
            self._hide(given)
        if "disable" in given:
            given["disable"] = False  # None asks whether there is a terminal, which is another question
        super().__init__(*args[len(_ORDER) :], **given)
        if self.disable:
            return
        unit = stage_unit or ("" if self.unit == "it" else self.unit)
        self._stage = open_bar(job, self.desc, _told(self.total), unit)
        self._title = self.desc
        self._told_n: float = 0
        self._told_total, self._told_message = self.total, ""
        self._tell()

    def _hide(self, given: dict[str, Any]) -> None:
        """Changes the arguments so that nothing is shown."""
        given["file"] = _Nowhere()

    def __iter__(self) -> Iterator[_Item]:
        bar = self._stage
        if bar is None:
            return super().__iter__()
        self._handled = sys.exc_info()[1]
        self._loops = True
        return bar.stage.track(super().__iter__())

    def update(self, n: float = 1) -> bool | None:
        """It is `n` further. Whether it was displayed."""
        bar = self._stage
        if bar is None:
            return super().update(n)
        before = self.n
        displayed = super().update(n)
        if self._loops or before != self._told_n or self._words() != self._told_words or not math.isfinite(n):
            self._tell()
        elif not displayed and not self.disable:
            bar.stage.advance(n)  # which costs far less
            self._told_n = self.n
        return displayed

    def refresh(self, nolock: bool = False, lock_args: Any = None) -> bool | None:
        """Displays it, and tells of it, as it is now."""
        displayed = super().refresh(nolock=nolock, lock_args=lock_args)
        self._tell()
        return displayed

    def close(self) -> None:
        """It has come to its end. Short of its total and amid an exception, the job's end says what came of it."""
        error = sys.exc_info()[1]
        done = error is None or error is self._handled or isinstance(error, _ENDS)
        self._tell()
        self._leave(done=done or (self.total is not None and self.n >= self.total))
        super().close()

    @classmethod
    def write(cls, s: str, file: Any = None, end: str = "\n", nolock: bool = False) -> None:
        """Prints a line beside all bars, and writes it to the log of the job at hand."""
        job = current_job()
        if job is not None:
            job.log(str(s))
        super().write(s, file=file, end=end, nolock=nolock)

    @classmethod
    def wrapattr(
        cls,
        stream: Any,
        method: str,
        total: float | None = None,
        bytes: bool = True,  # noqa: A002 - tqdm's own word
        **options: Any,
    ) -> Any:
        """The stream, whose ``read`` or ``write`` moves a bar by what it has read or written."""
        if bytes and current_job() is not None:
            options[_STAGE_UNIT] = "B"
        return super().wrapattr(stream, method, total=total, bytes=bytes, **options)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._tell()
            self._leave(error)
        else:
            self._handled = sys.exc_info()[1]
        super().__exit__(kind, error, traceback)

    def __del__(self) -> None:
        self._leave(done=False)
        super().__del__()

    def _leave(self, error: BaseException | None = None, *, done: bool = True) -> None:
        bar, self._stage = self._stage, None
        if bar is not None:
            bar.close(error) if done else bar.abandon()

    def _tell(self) -> None:
        """Tells the stage what has changed since the last time.

        A loop over the bar counts at the stage, and moves `n` only where the bar is displayed; so only an `n` that was
        set since then is news.
        """
        if self._stage is None:
            return
        stage, n = self._stage.stage, self.n
        moved = n != self._told_n and math.isfinite(n) and n != stage.current
        total = _told(self.total) if self.total != self._told_total else None
        message = self._message()
        says = message if message != self._told_message else None
        self._told_n, self._told_total, self._told_message = n, self.total, message
        self._told_words = self._words()
        if moved or total is not None or says is not None:
            stage.update(n if moved else None, total=total, message=says)

    def _words(self) -> tuple[object, ...]:
        """What is told besides how far it is; objects in it may change, which is seen when it is displayed."""
        return (self.total, self.desc, self.postfix)

    def _message(self) -> str:
        described = "" if self.desc == self._title else self.desc.removesuffix(": ")
        return ": ".join(part for part in (described, str(self.postfix or "")) if part)


class _Nowhere(io.StringIO):
    """A file that nobody reads."""

    def write(self, s: str) -> int:
        """Forgets it."""
        return len(s)


def _is_terminal(file: Any) -> bool:
    try:
        return bool(file.isatty())
    except (AttributeError, ValueError):  # there is no stderr, or it is closed
        return False


def _told(total: float | None) -> float | None:
    """The total, if a stage can have it."""
    return total if total is not None and 0 <= total < math.inf else None
