"""What names may be, in words: for the messages to those who gave one that is not."""

from __future__ import annotations

import re
from typing import Final

from milepost.contract import limits

__all__ = ["name_rule"]


def name_rule(pattern: re.Pattern[str]) -> str:
    """A sentence without a full stop that says what text matches this pattern, which is one of the limits."""
    return _RULES[pattern]


_LOWER: Final = "lower-case ASCII letters"
_ANY: Final = "ASCII letters"

_RULES: Final = {
    limits.JOB_ID: f"a job id is 1 to 128 {_ANY}, digits, '_' and '-'",
    limits.KIND: f"a kind is 1 to 64 {_LOWER}, digits, '.', '_' and '-', and begins with a letter or a digit",
    limits.LABEL_KEY: (
        f"the key of a label is 1 to 63 {_LOWER}, digits, '.', '_', '/' and '-', and begins with a letter or a digit"
    ),
    limits.STAGE_ID: f"the id of a stage is 1 to 128 {_ANY}, digits, '.', '_', '/' and '-'",
    limits.FAILURE_CODE: (
        f"the code of a failure is 1 to 64 {_ANY}, digits, '.', '_' and '-', and begins with a letter or a digit"
    ),
    limits.CUSTOM_TYPE: (
        f"the type of an event is 1 to 128 {_ANY}, digits, '.', '_', '/' and '-', and begins with a letter"
    ),
    limits.SHA256: "a SHA-256 is 64 hexadecimal digits in lower case",
}
