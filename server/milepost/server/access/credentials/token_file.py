"""The token file: principals by the digest of their token, or by a name in their certificate, in TOML.

::

    [[token]]
    id = "4f1c09aa"
    sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    subject = "ci"
    owners = ["team-a"]            # ["*"] for all owners
    scopes = ["submit", "read"]
    kinds = ["transcribe.*"]       # optional: what it may submit and work on
    limits = ["events=5000/s"]     # optional: instead of the server's
    expires = 2027-01-31T00:00:00Z # optional
    revoked = true                 # optional
    note = "for the nightly build" # optional

    [[certificate]]                # with the keys of a token, but for its digest
    san = "spiffe://example.org/ci"
    id = "b2a70c3d"
    subject = "ci"
    owners = ["team-a"]
    scopes = ["work"]
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final, NamedTuple

from milepost.contract import limits
from milepost.server.access.limits.principal_limits import parse_limits
from milepost.server.access.principal import EVERY_OWNER, Principal, Scope

_DIGEST_LENGTH: Final = 64
_SAN_LENGTH: Final = 2048
TABLES: Final = {"token": "sha256", "certificate": "san"}
"""The tables of the file, and by what each knows its principal."""
_REQUIRED: Final = frozenset({"id", "subject", "owners", "scopes"})
_OPTIONAL: Final = frozenset({"kinds", "limits", "expires", "revoked", "note", "created"})


class TokenFileError(ValueError):
    """The file is not a token file; the message says where, and never quotes a digest."""


class TokenEntry(NamedTuple):
    """One token or certificate of the file. ``key`` is what ``token_key`` or ``certificate_key`` returns."""

    key: str
    principal: Principal
    revoked: bool = False
    note: str = ""


def token_key(digest: str) -> str:
    """The key of the entry of a token with this digest."""
    return digest


def certificate_key(san: str) -> str:
    """The key of the entry of certificates with this subject alternative name; that of no token."""
    return f"certificate {san}"


def parse(text: str) -> Mapping[str, TokenEntry]:
    """The entries of a token file by their keys. Raises TokenFileError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TokenFileError(f"it is not TOML: {error}") from None
    except (ValueError, RecursionError):
        raise TokenFileError("it has a number that is too long, or is nested too deeply") from None
    unknown = set(document) - set(TABLES)
    if unknown:
        raise TokenFileError(
            f"it has an unknown key {min(unknown)!r}; tokens stand under [[token]], certificates under [[certificate]]"
        )
    entries: dict[str, TokenEntry] = {}
    ids: set[str] = set()
    for name, key in TABLES.items():
        for number, table in enumerate(_tables(document, name), start=1):
            entry = _entry(table, key, f"{name} {number}")
            if entry.key in entries or entry.principal.credential_id in ids:
                raise TokenFileError(f"{name} {number} has the id or the {key} of an earlier one")
            entries[entry.key] = entry
            ids.add(entry.principal.credential_id)
    return entries


def _tables(document: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        raise TokenFileError(f"{name}s stand under [[{name}]], with two brackets")
    yield from value


def _entry(table: Mapping[str, Any], key: str, where: str) -> TokenEntry:
    required = _REQUIRED | {key}
    missing, unknown = required - set(table), set(table) - required - _OPTIONAL
    if missing:
        raise TokenFileError(f"{where} has no {min(missing)!r}")
    if unknown:
        raise TokenFileError(f"{where} has an unknown key {min(unknown)!r}")
    owners = _texts(table, "owners", where)
    if not owners:
        raise TokenFileError(f'{where} has no owner; owners = ["*"] stands for all of them')
    names = _texts(table, "scopes", where)
    wrong = sorted(set(names) - set(Scope))
    if wrong:
        raise TokenFileError(f"{where} has an unknown scope {wrong[0]!r}; there are {', '.join(Scope)}")
    found = (
        _digest(table, where) if key == "sha256" else certificate_key(_text(table, key, where, _SAN_LENGTH))
    )
    principal = Principal(
        subject=_text(table, "subject", where),
        owners=None if EVERY_OWNER in owners else frozenset(owners),
        scopes=frozenset(map(Scope, names)),
        kinds=tuple(_texts(table, "kinds", where)),
        limits=_limits(table, where),
        expire_time=_expire_time(table.get("expires"), where),
        credential_id=_text(table, "id", where),
        key=found,
    )
    revoked = table.get("revoked", False)
    if not isinstance(revoked, bool):
        raise TokenFileError(f"'revoked' of {where} is neither true nor false")
    return TokenEntry(found, principal, revoked, str(table.get("note", "")))


def _digest(table: Mapping[str, Any], where: str) -> str:
    digest = _text(table, "sha256", where).lower()
    if len(digest) != _DIGEST_LENGTH or any(digit not in "0123456789abcdef" for digit in digest):
        raise TokenFileError(f"the sha256 of {where} is not {_DIGEST_LENGTH} hexadecimal digits")
    return token_key(digest)


def _text(table: Mapping[str, Any], key: str, where: str, length: int = limits.NAME_LENGTH) -> str:
    value = table[key]
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= length:
        raise TokenFileError(f"{key!r} of {where} is not a text of 1 to {length} characters")
    return value


def _texts(table: Mapping[str, Any], key: str, where: str) -> list[str]:
    values = table.get(key, [])
    if not isinstance(values, list):
        raise TokenFileError(f"{key!r} of {where} is not a list of texts")
    for value in values:
        # The owner "" is that of jobs without an owner.
        if not isinstance(value, str) or len(value) > limits.NAME_LENGTH:
            raise TokenFileError(f"{key!r} of {where} is not a list of texts of at most {limits.NAME_LENGTH}")
    return values


def _limits(table: Mapping[str, Any], where: str) -> tuple[tuple[str, int], ...]:
    try:
        return parse_limits(_texts(table, "limits", where))
    except ValueError as error:
        raise TokenFileError(f"'limits' of {where} cannot be used: {error}") from None


def _expire_time(value: object, where: str) -> int | None:
    """In nanoseconds since 1970. A date is its beginning, and a time without an offset is in UTC."""
    if value is None:
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise TokenFileError(f"'expires' of {where} is not a time such as 2027-01-31T00:00:00Z")
    moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 10**9
