"""The tokens that lead from one page of a list to the next (https://google.aip.dev/158)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from typing import TypeVar

from google.protobuf.message import Message

from milepost.contract import limits
from milepost.server.rpc.field_checks import Check

# Longer than any token of this server. The bound also keeps forged JSON from nesting deeply.
_TOKEN_MOST = 1000

_Key = TypeVar("_Key")


def page_size(asked: int) -> int:
    """How many items a page has at most, where so many were asked for."""
    return min(asked or limits.PAGE_SIZE, limits.PAGE_SIZE_MAX)


def token(asked: Message, key: object) -> str:
    """The token for the page after ``key``, a JSON value; valid only with a request that equals ``asked``."""
    return base64.urlsafe_b64encode(json.dumps([_digest(asked), key]).encode()).decode().rstrip("=")


def after(given: str, asked: Message, read: Callable[[object], _Key | None]) -> _Key | None:
    """The key of a token; None without a token. Raises INVALID_FIELD.

    ``read`` validates the key, and returns None for an invalid one: anybody can forge a token.
    """
    if not given:
        return None
    check = Check()
    digest, key = None, None
    try:
        if len(given) <= _TOKEN_MOST:
            digest, found = json.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
            key = read(found)
    except (binascii.Error, ValueError, TypeError, RecursionError):
        pass
    if key is None:
        check.wrong("page_token", "is not a next_page_token of this service")
    elif digest != _digest(asked):
        check.wrong("page_token", "is of a request with another filter or order; start again without a token")
    check.refuse()
    return key


def _digest(asked: Message) -> str:
    return hashlib.sha256(asked.SerializeToString(deterministic=True)).hexdigest()[:16]
