"""The words for what names may be agree with the patterns."""

from __future__ import annotations

import re

import pytest

from milepost.contract import limits
from milepost.contract.name_rules import name_rule

PATTERNS = {name: value for name, value in vars(limits).items() if isinstance(value, re.Pattern)}


def length_of(pattern: re.Pattern[str]) -> int:
    """How long a text may be that is as long as possible: each class of characters counts as often as it may."""
    classes = re.findall(r"\[[^]]+\](?:\{(?:\d+,)?(\d+)\})?", pattern.pattern)
    return sum(int(most or 1) for most in classes)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_each_pattern_has_a_rule_in_words(pattern: re.Pattern[str]) -> None:
    """The rule says how long a name may be, which letters and marks it may have, and how it has to begin."""
    rule = name_rule(pattern)
    marks = {mark for mark in "._/-" if pattern.fullmatch(f"a{mark}a")}
    has_upper = pattern.fullmatch("a" * 63 + "A") is not None or pattern.fullmatch("aA") is not None

    assert f" {length_of(pattern)} " in rule
    assert set(re.findall(r"'(.)'", rule)) == marks
    assert ("lower" in rule) == (not has_upper)
    assert ("begins with" in rule) == (bool(marks) and pattern.fullmatch("-a") is None)
    assert ("a letter or a digit" in rule) == ("begins with" in rule and pattern.fullmatch("1a") is not None)
