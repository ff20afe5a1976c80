"""A drop-in for tqdm: bars that report to the job at hand, and are those of tqdm where there is none.

    from milepost.client.tqdm import tqdm, trange

In a job a bar is a stage, named after its description. On a terminal it is shown as well. Where there is no job,
``tqdm(...)`` gives a bar of the real tqdm; where that is not installed, one that counts and shows nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sized
from numbers import Real
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, overload

from milepost.client.worker.bar_stages import BarStage, open_bar
from milepost.client.worker.current import current_job

__all__ = ["tqdm", "trange"]

_Item = TypeVar("_Item")


class _DropIn(type):
    """Makes the class stand for the real one, where that is asked for what it is or has."""

    def __instancecheck__(cls, instance: object) -> bool:
        real = _real()
        return super().__instancecheck__(instance) or (real is not None and isinstance(instance, real))

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_") or (real := _real()) is None:
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        return getattr(real, name)


class tqdm(Generic[_Item], metaclass=_DropIn):
    """A bar. What there is here, is there under the same names in tqdm, and does the same.

    With ``disable=True`` nothing is shown and nothing reported. Iterating looks for the job's cancellation, as
    `StageContext.track` does. The description at the beginning is the title of the stage; a later one, and what
    `set_postfix` tells, is its message.

    Attributes:
        iterable: What is iterated; None for a bar that is moved with `update`.
        desc: The description.
        total: How far it will be; None where that is not known.
        unit: What is counted.
        disable: Whether nothing is shown and nothing reported.
    """

    def __new__(cls, *args: Any, **options: Any) -> Any:
        """The real one, where there is one and no job to report to."""
        real = _real()
        if real is not None and (current_job() is None or options.get("disable") is True):
            return real(*args, **options)
        return super().__new__(cls)

    @overload
    def __init__(
        self,
        iterable: Iterable[_Item],
        desc: str | None = None,
        total: float | None = None,
        leave: bool | None = True,
        file: Any = None,
        *args: Any,
        **options: Any,
    ) -> None: ...
    @overload
    def __init__(
        self: tqdm[Any],
        iterable: None = None,
        desc: str | None = None,
        total: float | None = None,
        leave: bool | None = True,
        file: Any = None,
        *args: Any,
        **options: Any,
    ) -> None: ...
    def __init__(
        self,
        iterable: Iterable[_Item] | None = None,
        desc: str | None = None,
        total: float | None = None,
        leave: bool | None = True,
        file: Any = None,
        *args: Any,
        **options: Any,
    ) -> None:
        """Starts it.

        Args:
            iterable: What to iterate.
            desc: A description.
            total: How far it will be; None for the number of items, where they can be counted.
            leave: For the terminal, as all that follows but for `unit`, `initial`, `postfix` and `disable`.
            file: Where it is shown; None for stderr.
            args: As for tqdm.
            options: As for tqdm.
        """
        if total is None and isinstance(iterable, Sized):
            total = len(iterable)
        self.iterable = iterable
        self.desc = desc or ""
        self.total = total if total is None or math.isfinite(total) else None
        self.unit = str(options.get("unit", "it"))
        self.disable = options.get("disable") is True
        self.postfix = ""
        self._n: float = 0
        self._title = self.desc
        self._bar: BarStage | None = None
        self._shown: Any = None
        job = current_job()
        if job is not None and not self.disable:
            unit = "" if self.unit == "it" else self.unit
            self._bar = open_bar(job, self.desc, _total(self.total), unit)
            real = _real()
            if real is not None and (sys.stderr if file is None else file).isatty():
                self._shown = real(None, desc, total, leave, file, *args, **options)
        if initial := options.get("initial"):
            self.n = initial
        if isinstance(postfix := options.get("postfix"), Mapping):
            self.set_postfix(postfix)

    def __iter__(self) -> Iterator[_Item]:
        items = self.iterable
        if items is None:
            raise TypeError("This bar has nothing to iterate: move it with update().")
        if self._bar is None and self._shown is None:
            yield from self._plainly(items)
        elif self._bar is not None and self._shown is None:
            yield from self._bar.stage.track(iter(items))
        else:
            for item in self._bar.stage.track(iter(items)) if self._bar is not None else items:
                yield item
                self._shown.update()
        self._close(done=True)

    def update(self, n: float | None = 1) -> bool | None:
        """It is `n` further."""
        n = 1 if n is None else n
        if self._bar is not None:
            with contextlib.suppress(ValueError):  # not a finite number, which is no reason to fail
                self._bar.stage.advance(n)
        else:
            self._n += n
        return bool(self._shown.update(n)) if self._shown is not None else None

    @property
    def n(self) -> float:
        """How far it is; may be set."""
        current = self._n if self._bar is None else self._bar.stage.current
        return int(current) if float(current).is_integer() else current

    @n.setter
    def n(self, n: float) -> None:
        self._n = n
        if self._bar is not None:
            with contextlib.suppress(ValueError):
                self._bar.stage.update(n)
        if self._shown is not None:
            self._shown.n = n

    def set_description(self, desc: str | None = None, refresh: bool | None = True) -> None:
        """Describes it anew."""
        self.desc = desc or ""
        self._tell("set_description", desc, refresh)

    set_description_str = set_description

    def set_postfix(
        self, ordered_dict: Mapping[str, object] | None = None, refresh: bool | None = True, **values: object
    ) -> None:
        """Tells of values beside it, as ``loss=0.25``."""
        told = {**(ordered_dict or {}), **dict(sorted(values.items()))}
        self.postfix = ", ".join(f"{name}={_short(value)}" for name, value in told.items())
        self._tell("set_postfix", ordered_dict, refresh, **values)

    def set_postfix_str(self, s: str = "", refresh: bool | None = True) -> None:
        """Tells of something beside it."""
        self.postfix = str(s)
        self._tell("set_postfix_str", s, refresh)

    def refresh(self, *args: Any, **options: Any) -> None:
        """Tells of what was set directly, such as `total`."""
        if self._bar is not None and self.total is not None and _total(self.total) is not None:
            self._bar.stage.update(total=_total(self.total))
        if self._shown is not None:
            self._shown.total = self.total
            self._shown.refresh(*args, **options)

    def reset(self, total: float | None = None) -> None:
        """Begins anew, with another total if one is given."""
        if total is not None:
            self.total = total
        self.n = 0
        self.refresh()

    def clear(self, *args: Any, **options: Any) -> None:
        """Takes it off the terminal, until it is shown again."""
        if self._shown is not None:
            self._shown.clear(*args, **options)

    def unpause(self) -> None:
        """Starts its clock on the terminal again."""
        if self._shown is not None:
            self._shown.unpause()

    def close(self) -> None:
        """It has come to its end. Short of its total and amid an exception, the job's end says what came of it."""
        total = self.total
        self._close(done=sys.exc_info()[0] is None or (total is not None and self.n >= total))

    @classmethod
    def write(cls, s: str, file: Any = None, end: str = "\n", nolock: bool = False) -> None:
        """Prints a line beside all bars, and writes it to the log of the job at hand."""
        job = current_job()
        if job is not None:
            job.log(str(s))
        real = _real()
        if real is not None:
            real.write(s, file=file, end=end, nolock=nolock)
        else:
            print(s, file=file, end=end)

    def __len__(self) -> int:
        if isinstance(self.iterable, Sized):
            return len(self.iterable)
        if self.total is None:
            raise TypeError("This bar has no total, and cannot be counted.")
        return int(self.total)

    def __bool__(self) -> bool:
        return self.total is None or self.total > 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close(error)
        self._close(done=True)

    def __del__(self) -> None:
        bar: BarStage | None = getattr(self, "_bar", None)
        if bar is not None:
            bar.abandon()

    def _plainly(self, items: Iterable[_Item]) -> Iterator[_Item]:
        for item in items:
            yield item
            self._n += 1

    def _close(self, *, done: bool) -> None:
        if self._bar is not None:
            self._bar.close() if done else self._bar.abandon()
        if self._shown is not None:
            self._shown.close()

    def _tell(self, verb: str, *args: Any, **options: Any) -> None:
        if self._bar is not None:
            parts = (self.desc if self.desc != self._title else "", self.postfix)
            self._bar.stage.update(message=": ".join(part for part in parts if part))
        if self._shown is not None:
            getattr(self._shown, verb)(*args, **options)


def trange(*args: int, **options: Any) -> tqdm[int]:
    """``tqdm(range(...), ...)``."""
    return tqdm(range(*args), **options)


def _real() -> Any:
    """The class that this one stands for; None where it is not installed."""
    try:
        return importlib.import_module("tqdm").tqdm
    except ImportError:
        return None


def _total(total: float | None) -> float | None:
    return total if total is not None and 0 <= total < math.inf else None


def _short(value: object) -> str:
    """As tqdm has numbers: in three digits where that is shorter."""
    text = str(value).strip()
    if isinstance(value, Real):
        return min(text, f"{float(value):.3g}", key=len)
    return text
