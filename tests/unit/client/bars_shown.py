"""How bars are shown: scenarios that come out alike with tqdm and with the drop-in."""

from __future__ import annotations

import io
from typing import Any

from tests.unit.client.bars import Clock, scenario


@scenario
def leave(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """What is left of it: all, nothing, and what depends on its position."""
    for left in (True, False, None):
        for _ in bar(range(3), leave=left, file=file, mininterval=0, miniters=1):
            clock.tick(1)
    return None


@scenario
def intervals(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """Displayed no more often than they say."""
    for options in (
        {"mininterval": 0.5},
        {"miniters": 3},
        {"mininterval": 0, "miniters": None},
        {"mininterval": None},
    ):
        with bar(total=8, file=file, **options) as shown:
            for _ in range(8):
                clock.tick(0.25)
                shown.update()
    return None


@scenario
def dynamic_miniters(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """It learns how many steps there are between two displays."""
    seen = []
    with bar(total=1000, file=file, mininterval=0.1, smoothing=1) as shown:
        for step in (1, 10, 100, 5):
            clock.tick(0.2)
            shown.update(step)
            seen.append(shown.miniters)
    return seen


@scenario
def smoothing(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """The rate is that of late, or of all."""
    seen = []
    for smooth in (0, 0.5, 1, None):
        with bar(total=100, file=file, smoothing=smooth, mininterval=0, miniters=1) as shown:
            for seconds in (0.1, 1, 10):
                clock.tick(seconds)
                shown.update()
            seen.append(shown.format_dict["rate"])
    return seen


@scenario
def delay(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """Nothing is displayed before."""
    with bar(total=3, file=file, delay=5, mininterval=0, miniters=1) as shown:
        for _ in range(3):
            clock.tick(2)
            shown.update()
    bar(total=3, file=file, delay=5).close()
    return None


@scenario
def units(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """Of bytes, scaled by thousands, by 1024, and by a number."""
    for options in (
        {"unit": "bytes"},
        {"unit_scale": True},
        {"unit_scale": True, "unit_divisor": 1024},
        {"unit_scale": 3},
    ):
        with bar(total=5_000_000, file=file, **options) as shown:
            shown.update(2_500_000)
    return None


@scenario
def characters(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """Of ASCII, of one's own, in a colour."""
    for options in (
        {"ascii": True},
        {"ascii": False},
        {"ascii": " .oO0"},
        {"colour": "green"},
        {"ncols": 0},
        {"ncols": 20},
    ):
        with bar(total=20, file=file, **options) as shown:
            shown.update(7)
    return None


@scenario
def bar_format(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """A format of one's own, with and without a total."""
    for total in (10, None):
        form = "{l_bar}{bar}|{n_fmt}-{total_fmt} {desc} {postfix} {unit} {elapsed_s:.1f}"
        with bar(total=total, file=file, bar_format=form, desc="d", postfix={"a": 1}) as shown:
            clock.tick(2)
            shown.update(5)
    with bar(
        total=2, file=file, bar_format="{postfix[0]} {postfix[1][value]:>3}", postfix=["x", {"value": 1}]
    ) as shown:
        shown.postfix[1]["value"] = 7
        shown.update(2)
        return shown.postfix


@scenario
def closed_file(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """A file that is closed meanwhile fails nothing."""
    other = io.StringIO()
    shown = bar(total=3, file=other)
    shown.update()
    other.close()
    shown.close()
    return shown.n


@scenario
def described(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """With a colon, without, and not at all."""
    seen = []
    with bar(total=3, desc="first", file=file) as shown:
        for set_ in (shown.set_description, shown.set_description_str):
            for text in ("other", "", None):
                set_(text)
                seen.append((shown.desc, shown.format_dict["prefix"]))
            set_("silent", refresh=False)
    return seen


@scenario
def postfix(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """Of numbers, texts and other things, in their order."""
    seen = []
    with bar(total=3, file=file, postfix={"at": "start"}) as shown:
        seen.append(shown.postfix)
        shown.set_postfix({"z": 1.23456789, "a": 1_000_000_000}, name="text ", thing=[1], missing=None)
        seen.append(shown.postfix)
        shown.set_postfix(later=2, refresh=False)
        seen.append(shown.postfix)
        shown.set_postfix_str("as it is")
        seen.append(shown.postfix)
        shown.set_postfix_str("silently", refresh=False)
        seen.append(shown.postfix)
    return seen


@scenario
def nested(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """Each has a line of its own; places are taken again."""
    seen = []
    for _ in bar(range(2), desc="outer", file=file, mininterval=0, miniters=1):
        inner = bar(range(2), desc="inner", leave=False, file=file, mininterval=0, miniters=1)
        for _ in inner:
            clock.tick(1)
        seen.append(inner.pos)
    first, second, third = (bar(total=1, file=file) for _ in range(3))
    seen += [first.pos, second.pos, third.pos]
    second.close()
    fourth = bar(total=1, file=file)
    seen.append(fourth.pos)
    for each in (third, fourth, first):
        each.close()
    return seen


@scenario
def fixed_position(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """Where it was asked for, and hidden where there are too many rows."""
    shown = [bar(total=2, file=file, position=position, nrows=3) for position in (0, 2, 5)]
    seen = [(each.pos, each.update(2)) for each in shown]
    for each in reversed(shown):
        each.close()
    return seen


@scenario
def text(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """What it would show."""
    shown = bar(total=10, desc="d", file=file, ncols=60, ascii=True)
    shown.update(3)
    clock.tick(2)
    seen = [str(shown), repr(shown) == object.__repr__(shown), f"{shown}"]
    shown.close()
    return [*seen, str(shown)]


@scenario
def cleared(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """Off the terminal, and on it again."""
    first, second = bar(total=5, desc="a", file=file), bar(total=5, desc="b", file=file)
    for each in (second, first):
        each.clear()
    for each in (first, second):
        each.refresh()
    second.close()
    first.close()
    first.clear()
    return None


@scenario
def unpaused(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """The pause does not count."""
    shown = bar(total=10, file=file, mininterval=0, miniters=1)
    clock.tick(1)
    shown.update()
    clock.tick(100)
    shown.unpause()
    elapsed = shown.format_dict["elapsed"]
    shown.close()
    return elapsed


@scenario
def displayed(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """A message in its place."""
    with bar(total=3, file=file) as shown:
        return [shown.display("a message"), shown.display(msg=""), shown.display(), shown.display(pos=2)]


@scenario
def format_dict(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """All that a display is made of."""
    with bar(total=3, desc="d", file=file, unit="u", initial=1, ncols=50) as shown:
        shown.set_postfix(a=1)
        clock.tick(2)
        shown.update()
        return dict(shown.format_dict)


@scenario
def formats(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """The functions that format numbers are on the class."""
    return [
        bar.format_sizeof(9_999_999, "B"),
        bar.format_sizeof(1536, divisor=1024),
        bar.format_interval(3_723),
        bar.format_num(0.000123456),
        bar.format_meter(5, 10, 2, ncols=50, prefix="d", rate=3, ascii=True),
        bar.monitor_interval,
    ]


@scenario
def written_beside(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """Lines come above the bars of that file, whose lines come back."""
    other = io.StringIO()
    with bar(total=3, desc="a", file=file) as shown:
        shown.update()
        bar.write("a line", file=file)
        bar.write("one, ", file=file, end="two\n")
        bar.write("elsewhere", file=other)
        with bar.external_write_mode(file=file):
            file.write("from outside\n")
    return other.getvalue()


@scenario
def bytes_file(bar: Any, file: io.StringIO, clock: Clock) -> object:
    """A file that takes bytes."""
    raw = io.BytesIO()
    list(bar("ab", file=raw, write_bytes=True, ascii=True))
    return raw.getvalue()
