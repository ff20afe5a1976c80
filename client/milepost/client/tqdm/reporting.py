"""Mixin that makes the bars of tqdm report to the current job."""

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
        """Empty at run time: a class of tqdm or a plain bar follows in the MRO."""


__all__ = ["Reporting"]

_Item = TypeVar("_Item")

# The positional arguments of a bar, in their order.
_POSITIONAL: Final = (
    *("iterable", "desc", "total", "leave", "file"),
    *("ncols", "mininterval", "maxinterval", "miniters", "ascii"),
    *("disable", "unit", "unit_scale", "dynamic_ncols", "smoothing", "bar_format", "initial", "position"),
    *("postfix", "unit_divisor", "write_bytes", "lock_args", "nrows", "colour", "delay", "gui"),
)
# Option by which a class method passes the unit of the stage; the bar itself gets its unit only later.
_STAGE_UNIT: Final = "milepost_stage_unit"
_ITERATION_ENDS: Final = (StopIteration, StopAsyncIteration)


class Reporting(_Bar, Generic[_Item]):
    """A bar that is a stage of the current job, if there is one when the bar is created.

    As with a display, the next `update` or `refresh` reports attributes that code sets directly (`n`, `total`,
    `postfix`).
    """

    _stage: BarStage | None = None
    # Exception that the surrounding code is handling, which does not concern the bar.
    _outer_exception: BaseException | None = None
    _is_iterated = False

    def __init__(self, *args: Any, **options: Any) -> None:
        """Create the bar, with the arguments of tqdm's bars."""
        job = current_job()
        stage_unit = options.pop(_STAGE_UNIT, None)
        placed = dict(zip(_POSITIONAL, args, strict=False))
        given = placed | options
        if job is None or given.get("disable") or placed.keys() & options:
            super().__init__(*args, **options)
            return
        if given.get("file") is None and not _is_terminal(sys.stderr):
            self._hide(given)
        if "disable" in given:
            given["disable"] = (
                False  # None means: disable without a terminal, which must not disable the stage
            )
        super().__init__(*args[len(_POSITIONAL) :], **given)
        if self.disable:
            return
        unit = stage_unit or ("" if self.unit == "it" else self.unit)
        self._stage = open_bar(job, self.desc, _stage_total(self.total), unit)
        self._title = self.desc
        self._reported_n: float = 0
        self._reported_total, self._reported_message = self.total, ""
        self._report()

    def _hide(self, given: dict[str, Any]) -> None:
        """Change the arguments so that the bar shows nothing."""
        given["file"] = _NullFile()

    def __iter__(self) -> Iterator[_Item]:
        bar = self._stage
        if bar is None:
            return super().__iter__()
        self._outer_exception = sys.exc_info()[1]
        self._is_iterated = True
        return bar.stage.track(super().__iter__())

    def update(self, n: float = 1) -> bool | None:
        """Advance by `n`; return whether it was displayed."""
        bar = self._stage
        if bar is None:
            return super().update(n)
        before = self.n
        displayed = super().update(n)
        if (
            self._is_iterated
            or before != self._reported_n
            or self._values() != self._reported_values
            or not math.isfinite(n)
        ):
            self._report()
        elif not displayed and not self.disable:
            bar.stage.advance(n)  # far cheaper than a full report
            self._reported_n = self.n
        return displayed

    def refresh(self, nolock: bool = False, lock_args: Any = None) -> bool | None:
        """Display and report its current state."""
        displayed = super().refresh(nolock=nolock, lock_args=lock_args)
        self._report()
        return displayed

    def close(self) -> None:
        """Close the bar. Below its total during an exception, its stage ends when the job does."""
        error = sys.exc_info()[1]
        done = error is None or error is self._outer_exception or isinstance(error, _ITERATION_ENDS)
        self._report()
        self._end_stage(done=done or (self.total is not None and self.n >= self.total))
        super().close()

    @classmethod
    def write(cls, s: str, file: Any = None, end: str = "\n", nolock: bool = False) -> None:
        """Print a line without disturbing the bars, and write it to the log of the current job."""
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
        """A wrapper of the stream whose ``read`` or ``write`` advances a bar by the size of the data."""
        if bytes and current_job() is not None:
            options[_STAGE_UNIT] = "B"
        return super().wrapattr(stream, method, total=total, bytes=bytes, **options)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._report()
            self._end_stage(error)
        else:
            self._outer_exception = sys.exc_info()[1]
        super().__exit__(kind, error, traceback)

    def __del__(self) -> None:
        self._end_stage(done=False)
        super().__del__()

    def _end_stage(self, error: BaseException | None = None, *, done: bool = True) -> None:
        bar, self._stage = self._stage, None
        if bar is not None:
            bar.close(error) if done else bar.abandon()

    def _report(self) -> None:
        """Report to the stage what has changed since the last report.

        A loop over the bar counts at the stage, and updates `n` only when the bar is displayed; so only an `n` that
        code has set since then is a change.
        """
        if self._stage is None:
            return
        stage, n = self._stage.stage, self.n
        moved = n != self._reported_n and math.isfinite(n) and n != stage.current
        total = _stage_total(self.total) if self.total != self._reported_total else None
        message = self._message()
        changed_message = message if message != self._reported_message else None
        self._reported_n, self._reported_total, self._reported_message = n, self.total, message
        self._reported_values = self._values()
        if moved or total is not None or changed_message is not None:
            stage.update(n if moved else None, total=total, message=changed_message)

    def _values(self) -> tuple[object, ...]:
        """The reported values besides `n`; a change within a mutable one shows with the next display."""
        return (self.total, self.desc, self.postfix)

    def _message(self) -> str:
        described = "" if self.desc == self._title else self.desc.removesuffix(": ")
        return ": ".join(part for part in (described, str(self.postfix or "")) if part)


class _NullFile(io.StringIO):
    """A file that discards its content."""

    def write(self, s: str) -> int:
        """Discard the text."""
        return len(s)


def _is_terminal(file: Any) -> bool:
    try:
        return bool(file.isatty())
    except (AttributeError, ValueError):  # stderr is missing or closed
        return False


def _stage_total(total: float | None) -> float | None:
    """The total, if it is valid for a stage."""
    return total if total is not None and 0 <= total < math.inf else None
