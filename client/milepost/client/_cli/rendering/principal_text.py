"""A principal as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Final

from milepost.client._cli.rendering import text
from milepost.v1 import PrincipalLimit, WhoAmIResponse

__all__ = ["VALUE_COLUMN", "is_anonymous", "principal_lines"]

VALUE_COLUMN: Final = 12
"""Where the values begin."""


def is_anonymous(principal: WhoAmIResponse) -> bool:
    """Whether the server has no credentials configured, so that everyone may do everything."""
    return principal.subject == "anonymous" and not principal.credential_id


def principal_lines(principal: WhoAmIResponse, zone: tzinfo | None = None) -> Iterator[str]:
    """Describe a principal: a name and a value on each line."""
    for name, value in (
        ("subject", text.one_line(principal.subject)),
        ("owners", "all" if principal.all_owners else _joined([*map(_quoted, principal.owners)], "none")),
        ("scopes", _joined(principal.scopes, "none")),
        ("kinds", _joined(principal.kinds, "any")),
        ("job", text.one_line(principal.job_id)),
        ("expires", text.date(principal.expire_time, zone) if principal.HasField("expire_time") else "never"),
        ("credential", text.one_line(principal.credential_id) or "none"),
        *((text.one_line(limit.name), _limit(limit)) for limit in principal.limits),
    ):
        if value:
            yield f"{name:<{VALUE_COLUMN}}{value}"


def _limit(limit: PrincipalLimit) -> str:
    if limit.burst:
        return f"{limit.used:,} of a burst of {limit.burst:,}; at most {limit.maximum:,} a second"
    unit = " bytes" if limit.name == "input" else ""
    return f"{limit.used:,} of {limit.maximum:,}{unit}"


def _joined(values: Sequence[str], nothing: str) -> str:
    return ", ".join(map(text.one_line, values)) or nothing


def _quoted(owner: str) -> str:
    """The owner; the empty one, that of jobs without an owner, in quotes."""
    return owner or '""'
