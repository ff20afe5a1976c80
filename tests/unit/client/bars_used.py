"""How bars are used: scenarios that come out alike with tqdm and with the drop-in."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import tqdm as ordinary
from tqdm import TqdmDeprecationWarning, TqdmKeyError

from tests.unit.client.bars import Clock, scenario


@scenario
def all_defaults(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """Of a list, a range, a generator and a string; nothing of it is lost."""
    return [
        list(bar([1, 2, 3], file=file)),
        list(bar(range(4), file=file)),
        list(bar((number for number in "ab"), file=file)),
        list(bar("", file=file)),
    ]


@scenario
def arguments_by_position(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """In the order that tqdm has."""
    return list(bar("ab", "described", 4, False, file, 60, 0, 0, 1, True, False, "B", True))


@scenario
def disabled(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """It is walked all the same, and counts nothing; it has a text and can be reset."""
    shown = bar(range(3), file=file, disable=True, initial=2)
    items = list(shown)
    shown.update(3)
    shown.reset(total=7)
    shown.close()
    return items, shown.n, shown.total, str(shown), shown.disable, file.getvalue()


@scenario
def totals(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """None, infinite, a float, and less than there is."""
    seen = []
    for total in (None, float("inf"), 2.5, 1):
        shown = bar("abc", total=total, file=file)
        seen.append((list(shown), shown.n, shown.total))
    with bar(total=0, file=file) as shown:
        seen.append(([], shown.n, bool(shown)))
    return seen


@scenario
def moved_by_hand(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """Forwards, backwards, by parts; what is set directly counts."""
    seen: list[object] = []
    with bar(total=10, file=file, initial=1, mininterval=0, miniters=0) as shown:
        for step in (1, 2, -1, 0.5, 0):
            clock.tick(1)
            seen.append((shown.update(step), shown.n))
        shown.n = 8
        shown.total = 20
        seen.append((shown.refresh(), shown.n, len(shown), shown.last_print_n))
        seen.append((shown.update(), shown.n, shown.total))
    return seen, shown.n, shown.disable


@scenario
def n_within_a_loop(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """It is as far as it was displayed; what is set is overtaken by the loop."""
    seen = []
    shown = bar(range(4), file=file, mininterval=0, miniters=1)
    for number in shown:
        seen.append((number, shown.n))
        if number == 1:
            shown.n = 3
            shown.refresh()
    return seen, shown.n


@scenario
def closed(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """Twice does no harm; a closed one moves no more."""
    seen = []
    for position in (None, 1):
        for left in (True, False):
            shown = bar(total=3, file=file, leave=left, position=position)
            shown.update()
            shown.close()
            shown.close()
            seen.append((shown.update(), shown.n, shown.refresh(), shown.disable))
    return seen


@scenario
def reset(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """From the beginning, with another total."""
    shown = bar(total=3, file=file)
    shown.update(2)
    clock.tick(3)
    shown.reset()
    seen = [(shown.n, shown.total, shown.format_dict["elapsed"])]
    shown.reset(total=9)
    shown.update(4)
    seen.append((shown.n, shown.total, shown.format_dict["elapsed"]))
    shown.reset(total=float("inf"))
    seen.append((shown.n, shown.total, 0))
    shown.close()
    return seen


@scenario
def as_a_container(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """It has a length, items, an order, and a truth, as its iterable does."""
    letters = "abc"
    seen: list[object] = [
        len(bar(letters, file=file)),
        bool(bar(letters, file=file)),
        bool(bar(total=3, file=file)),
        bool(bar(total=0, file=file)),
        "b" in bar(letters, file=file),
        "x" in bar(letters, file=file),
        list(reversed(bar(letters, file=file))),
        2 in bar((number for number in (1, 2, 3)), file=file),
        len(bar(total=4, file=file)),
    ]
    with pytest.raises(TypeError):
        bool(bar(file=file))
    with pytest.raises(TypeError):
        len(bar(filter(None, []), file=file))
    return seen


@scenario
def compared(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """By position; each is a key of its own."""
    first, second = bar(total=1, file=file), bar(total=1, file=file)
    seen = (first < second, first == second, first >= second, len({first, second}), hash(first) == id(first))
    second.close()
    first.close()
    return seen


@scenario
def context(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """It gives itself, and is closed in the end, whatever happens."""
    shown = bar(total=3, file=file)
    with shown as given:
        same = given is shown
    with pytest.raises(ZeroDivisionError), bar(total=3, file=file) as other:
        other.update(1 / 0)
    return same, shown.disable, other.disable


@scenario
def broken_off(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """A loop that ends early, by itself or by an exception, closes it where it is."""
    shown = bar(range(5), file=file)
    for number in shown:
        if number == 2:
            break
    failing = bar(range(5), file=file)
    with suppress(KeyError):
        for number in failing:
            if number == 2:
                raise KeyError
    return shown.n, shown.disable


@scenario
def failing_iterable(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """What it raises comes out; the bar is closed."""

    def items() -> Iterator[int]:
        yield 1
        raise LookupError

    shown = bar(items(), file=file)
    with pytest.raises(LookupError):
        list(shown)
    return shown.n, shown.disable


@scenario
def wrapped_reading(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """It is moved by what is read, in bytes or in something else."""
    seen = []
    for binary in (True, False):
        with bar.wrapattr(io.BytesIO(b"x" * 5000), "read", total=5000, file=file, bytes=binary) as stream:
            while chunk := stream.read(1500):
                seen.append(len(chunk))
            seen.append(stream.tell())
    return seen


@scenario
def wrapped_writing(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """It is moved by what is written; other methods are not there to wrap."""
    written = io.BytesIO()
    with bar.wrapattr(written, "write", total=6, file=file, desc="w") as stream:
        seen = [stream.write(b"abc"), stream.write(b"def")]
    with pytest.raises(KeyError), bar.wrapattr(written, "seek", total=1, file=file):
        pass
    return seen, written.getvalue()


@scenario
def locks(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """One for all bars, those of other code as well; it can be set."""
    before, mine = bar.get_lock(), threading.RLock()
    std: Any = ordinary.tqdm
    bar.set_lock(mine)
    try:
        with bar(total=1, file=file, lock_args=(False,)) as shown:
            seen = (bar.get_lock() is mine, std.get_lock() is mine, shown.refresh())
    finally:
        bar.set_lock(before)
    return seen, bar.get_lock() is before, std.get_lock() is before


@scenario
def lock_that_is_taken(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """With `lock_args` a bar is displayed another time."""
    before, mine = bar.get_lock(), threading.RLock()
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with mine:
            held.set()
            go.wait()

    bar.set_lock(mine)
    try:
        shown = bar(total=5, file=file, lock_args=(False,), mininterval=0, miniters=1)
        holding = threading.Thread(target=hold)
        holding.start()
        held.wait()
        clock.tick(1)
        seen = [shown.update(), shown.refresh(lock_args=(False,))]
        go.set()
        holding.join()
        shown.close()
    finally:
        go.set()
        bar.set_lock(before)
    return seen, shown.n


@scenario
def unknown_arguments(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """They are refused, with tqdm's own exceptions."""
    with pytest.raises(TqdmKeyError, match="bad_name"):
        bar("ab", file=file, bad_name=1)
    with pytest.raises(TqdmDeprecationWarning, match="nested"):
        bar("ab", file=file, nested=True)
    with pytest.raises(TypeError):
        bar("ab", "d", desc="twice", file=file)
    return None


@scenario
def gone(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """A bar that nobody holds any more is closed."""
    shown = bar(total=2, file=file)
    count = len(bar._instances)
    del shown
    return count - len(bar._instances)


@scenario
def subclassed(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """With a display, a state and arguments of its own; it is an instance of its class."""
    displayed: list[float] = []

    def start(self: Any, *args: Any, extra: str = "", **options: Any) -> None:
        self.extra = extra
        bar.__init__(self, *args, **options)

    def display(self: Any, msg: str | None = None, pos: int | None = None) -> Any:
        displayed.append(self.n)
        return bar.display(self, msg, pos)

    mine = type(
        "Mine",
        (bar,),
        {
            "__init__": start,
            "display": display,
            "update": lambda self, n=1: bar.update(self, 2 * n),
            "format_dict": property(lambda self: {**bar.format_dict.fget(self), "prefix": "mine: "}),
        },
    )
    shown = mine(range(3), extra="more", file=file, mininterval=0, miniters=1)
    items = list(shown)
    other = mine(total=4, file=file)
    other.update(2)
    other.close()
    kinds = [type(shown) is mine, isinstance(shown, bar), isinstance(shown, ordinary.tqdm)]
    return items, displayed, shown.extra, shown.n, other.n, kinds, str(shown).startswith("mine: ")


@scenario
def monitored(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """The monitor can be turned off for a class."""
    unwatched: Any = type("Unwatched", (bar,), {"monitor_interval": 0, "monitor": None})
    list(unwatched("ab", file=file))
    return unwatched.monitor
