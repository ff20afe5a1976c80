"""The texts of refused fields: the value and the bounds in readable form."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from milepost.server.base.refusal import Refusal
from milepost.server.messages.field_checks import Check
from milepost.v1 import ErrorReason


@pytest.mark.parametrize(
    ("expected", "duration", "bounds"),
    [
        ("is 0 s; it must be between 1 s and 10,000 years", Duration(), (1.0,)),
        (
            "is 1,000,000,000,000 s; it must be between 1 s and 10,000 years",
            Duration(seconds=10**12),
            (1.0,),
        ),
        (
            "is 86,400.5 s; it must be between 0 s and 86,400 s",
            Duration(seconds=86_400, nanos=5 * 10**8),
            (0.0, 86_400.0),
        ),
        (
            "is 60 s and -1 ns, which is not a valid Duration; it must be between 0 s and 10,000 years",
            Duration(seconds=60, nanos=-1),
            (),
        ),
    ],
)
def test_a_duration(expected: str, duration: Duration, bounds: tuple[float, ...]) -> None:
    """In seconds, or in years if the bound is that of protobuf."""
    check = Check()
    check.duration("timeout", duration, *bounds)

    assert refused(check) == f"timeout: {expected}"


def test_numbers() -> None:
    """Large numbers have separators, and very large ones an exponent."""
    check = Check()
    check.between("planned_children", 2_000_000_000, 0, 1_000_000_000)
    assert refused(check) == "planned_children: is 2,000,000,000; it must be between 0 and 1,000,000,000"

    check = Check()
    check.amount("weight", -0.5)
    assert refused(check) == "weight: is -0.5; it must be between 0 and 1e+30"


def refused(check: Check) -> str:
    """The text of the refusal."""
    with pytest.raises(Refusal) as raised:
        check.refuse()
    return raised.value.message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("übersetzen 翻訳", "übersetzen 翻訳"),
        ("a\x1b[31m", "a\\x1b[31m"),
        ("a\u202eb\u2028c\ud800", "a\\x202eb\\x2028c\\xd800"),
        ("x" * 300, "x" * 240 + "..."),
        ("ü" * 300, "ü" * 40 + "..."),
    ],
)
def test_text_of_other_languages(text: str, shown: str) -> None:
    """It is as it was given, but for characters that steer a terminal or reorder text, and bounded in headers."""
    assert Refusal(ErrorReason.ERROR_REASON_INVALID_FIELD, text).message == shown
