"""The bar and its shortcut, like `tqdm.std`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from milepost.client.tqdm.plain import PlainBar
from milepost.client.tqdm.reporting import Reporting

__all__ = ["tqdm", "trange"]

_Item = TypeVar("_Item")

if TYPE_CHECKING:
    _Base = PlainBar
else:
    try:
        from tqdm.std import tqdm as _Base
    except ImportError:
        _Base = PlainBar

# Create the lock that all bars share, also those of other code.
_Base.get_lock()


class tqdm(Reporting[_Item], _Base):
    """A bar of tqdm that is also a stage of the current job, if there is one.

    With ``disable=True`` it neither shows nor reports anything. Iterating checks for the job's cancellation, as
    `StageContext.track` does. The initial description is the title of the stage; a later one, and the text of
    `set_postfix`, is its message.
    """

    if TYPE_CHECKING:
        # Attributes of tqdm's own bars only.
        monitor_interval: ClassVar[float]
        fp: Any
        pos: int
        ncols: int | None
        mininterval: float
        maxinterval: float
        miniters: float
        bar_format: str | None
        colour: str | None
        start_t: float
        last_print_n: float
        last_print_t: float
        format_sizeof: ClassVar[Callable[..., str]]
        format_interval: ClassVar[Callable[..., str]]
        format_num: ClassVar[Callable[..., str]]
        format_meter: ClassVar[Callable[..., str]]

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
        def __init__(self, *args: Any, **options: Any) -> None: ...

    @classmethod
    def set_lock(cls, lock: Any) -> None:
        """Set the lock that all bars share."""
        super().set_lock(lock)
        _Base.set_lock(lock)


def trange(*args: int, **options: Any) -> tqdm[int]:
    """``tqdm(range(...), ...)``."""
    return tqdm(range(*args), **options)
