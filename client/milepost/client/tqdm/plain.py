"""The bar without tqdm: it counts, and shows nothing."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Iterator, Mapping
from numbers import Real
from types import TracebackType
from typing import Any, ClassVar, Self

__all__ = ["PlainBar"]


class PlainBar:
    """The public API of tqdm's bar, with the same effects except the display."""

    _lock: ClassVar[Any] = threading.RLock()

    def __init__(
        self,
        iterable: Any = None,
        desc: str | None = None,
        total: float | None = None,
        leave: bool | None = True,
        *args: Any,
        **options: Any,
    ) -> None:
        if total is None:
            with contextlib.suppress(TypeError, AttributeError):
                total = len(iterable)
        self.iterable: Any = iterable
        self.desc: str = desc or ""
        self.total: float | None = None if total == float("inf") else total
        self.leave = leave
        self.disable: bool = bool(options.get("disable", False))
        self.unit: str = options.get("unit", "it")
        self.unit_scale: Any = options.get("unit_scale", False)
        self.unit_divisor: float = options.get("unit_divisor", 1000)
        self.initial: float = options.get("initial", 0)
        self.n: float = self.initial
        self.postfix: Any = None
        self.start_t: float = time.time()
        match options.get("postfix"):
            case Mapping() as values:
                self.set_postfix(values, refresh=False)
            case other:
                self.postfix = other

    def __iter__(self) -> Iterator[Any]:
        if self.disable:
            yield from self.iterable
            return
        try:
            for item in self.iterable:
                yield item
                self.n += 1
        finally:
            self.close()

    def update(self, n: float = 1) -> bool | None:
        """Advance by `n`; return whether it was displayed."""
        if not self.disable:
            self.n += n
        return None

    def close(self) -> None:
        """Close the bar."""
        self.disable = True

    def clear(self, nolock: bool = False) -> None:
        """Clear it from the display."""

    def refresh(self, nolock: bool = False, lock_args: Any = None) -> bool | None:
        """Display its current state."""
        return None if self.disable else self.display()

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Display it, or a message in its place; return whether it did."""
        return False

    def unpause(self) -> None:
        """Continue as if no time had passed since the last display."""

    def reset(self, total: float | None = None) -> None:
        """Restart from 0, with another total if given."""
        self.n = 0
        if total is not None:
            self.total = None if total == float("inf") else total
        self.refresh()

    def set_description(self, desc: str | None = None, refresh: bool | None = True) -> None:
        """Set the description, followed by a colon."""
        self.set_description_str(f"{desc}: " if desc else "", refresh)

    def set_description_str(self, desc: str | None = None, refresh: bool | None = True) -> None:
        """Set the description."""
        self.desc = desc or ""
        if refresh:
            self.refresh()

    def set_postfix(
        self, ordered_dict: Mapping[str, object] | None = None, refresh: bool | None = True, **values: object
    ) -> None:
        """Show values beside the bar, such as ``loss=0.25``."""
        shown = {**(ordered_dict or {}), **dict(sorted(values.items()))}
        self.set_postfix_str(", ".join(f"{name}={_short(value)}" for name, value in shown.items()), refresh)

    def set_postfix_str(self, s: str = "", refresh: bool | None = True) -> None:
        """Show a text beside the bar."""
        self.postfix = str(s)
        if refresh:
            self.refresh()

    @property
    def format_dict(self) -> Mapping[str, Any]:
        """The values that a display would show."""
        return {
            "n": self.n,
            "total": self.total,
            "elapsed": time.time() - self.start_t,
            "prefix": self.desc,
            "unit": self.unit,
            "unit_scale": self.unit_scale,
            "unit_divisor": self.unit_divisor,
            "postfix": self.postfix,
            "initial": self.initial,
        }

    @classmethod
    def write(cls, s: str, file: Any = None, end: str = "\n", nolock: bool = False) -> None:
        """Print a line without disturbing the bars."""
        print(s, file=file, end=end)

    @classmethod
    @contextlib.contextmanager
    def external_write_mode(cls, file: Any = None, nolock: bool = False) -> Iterator[None]:
        """Clear all bars from the display during a block."""
        yield

    @classmethod
    def get_lock(cls) -> Any:
        """The lock that all bars share."""
        return cls._lock

    @classmethod
    def set_lock(cls, lock: Any) -> None:
        """Set the lock that all bars share."""
        cls._lock = lock

    @classmethod
    def pandas(cls, **options: Any) -> None:
        """Register `progress_apply` with pandas, which needs tqdm itself."""
        raise ImportError("progress_apply comes with tqdm. Install it with: pip install tqdm", name="tqdm")

    @classmethod
    @contextlib.contextmanager
    def wrapattr(
        cls,
        stream: Any,
        method: str,
        total: float | None = None,
        bytes: bool = True,  # noqa: A002 - tqdm's own word
        **options: Any,
    ) -> Iterator[Any]:
        """A wrapper of the stream whose ``read`` or ``write`` advances a bar by the size of the data."""
        with cls(total=total, **options) as bar:
            if bytes:
                bar.unit, bar.unit_scale, bar.unit_divisor = "B", True, 1024
            yield _Stream(stream, method, bar)

    def __len__(self) -> int:
        if self.iterable is not None:
            return len(self.iterable)
        if self.total is None:
            raise TypeError("a bar without an iterable and a total has no len()")
        return int(self.total)

    def __bool__(self) -> bool:
        if self.total is not None:
            return self.total > 0
        if self.iterable is None:
            raise TypeError("bool() undefined when iterable == total == None")
        return bool(self.iterable)

    def __contains__(self, item: object) -> bool:
        return item in self.iterable if hasattr(self.iterable, "__contains__") else item in iter(self)

    def __reversed__(self) -> Iterator[Any]:
        forwards = self.iterable
        self.iterable = reversed(forwards)
        try:
            return iter(self)
        finally:
            self.iterable = forwards

    def __str__(self) -> str:
        shown = f"{self.n}" if self.total is None else f"{self.n}/{self.total}"
        return " ".join(part for part in (self.desc.rstrip(), shown, str(self.postfix or "")) if part)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class _Stream:
    """A stream wrapper, one of whose methods advances a bar."""

    def __init__(self, stream: Any, method: str, bar: PlainBar) -> None:
        self._stream = stream
        wrapped = getattr(stream, method)

        @functools.wraps(wrapped)
        def read(*args: Any, **options: Any) -> Any:
            data = wrapped(*args, **options)
            bar.update(len(data))
            return data

        @functools.wraps(wrapped)
        def write(data: Any, *args: Any, **options: Any) -> Any:
            done = wrapped(data, *args, **options)
            bar.update(len(data))
            return done

        methods = {"read": read, "write": write}
        if method not in methods:
            raise KeyError("Can only wrap read/write methods")
        setattr(self, method, methods[method])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _short(value: object) -> str:
    """Format a number as tqdm does: in three digits if that is shorter."""
    text = str(value).strip()
    if isinstance(value, Real):
        return min(text, f"{float(value):.3g}", key=len)
    return text
