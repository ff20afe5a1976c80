"""JSON Web Key Sets: the public keys of an issuer, from a file or a URL, cached.

The last good keys stay in force while the source fails. Unknown key ids make the cache look at the source again, but at
most once in ``MISS_INTERVAL``: otherwise invented ids would have the server hammer its issuer.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import jwt
import structlog

from milepost.server.access.credentials.key_source import FETCH_TIMEOUT, SIZE_LIMIT, check_size, fetch
from milepost.server.access.credentials.writable_files import WritableFile

_logger = structlog.get_logger("milepost.access")

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
"""Asymmetric ones only: a shared secret would let every verifier make tokens, and "none" everyone."""

REFRESH_INTERVAL: Final = 300.0
"""Seconds after which keys from a URL are fetched again, so that removed keys lose their force."""

FILE_INTERVAL: Final = 1.0
"""Seconds after which a file is read again."""

MISS_INTERVAL: Final = 5.0
"""Minimum seconds between two fetches because of unknown key ids."""


KeyId: TypeAlias = tuple[str, str]
"""A key's id with its algorithm: an issuer may give keys of different algorithms one id."""


class SigningKey(NamedTuple):
    """A public key of the issuer, and its fingerprint."""

    jwk: jwt.PyJWK
    fingerprint: str


class SigningKeys(NamedTuple):
    """The keys of a key set, and the ids that several keys of one algorithm have, none of which verifies anything."""

    by_id: Mapping[KeyId, SigningKey]
    ambiguous: frozenset[str]


class KeySet:
    """The keys of one issuer by their ids and algorithms. ``monotonic`` is for tests."""

    def __init__(self, source: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._is_url = source.startswith(("https://", "http://"))
        self._permissions = WritableFile(Path(source))
        self._monotonic = monotonic
        self._keys = SigningKeys({}, frozenset())
        self._fingerprints: frozenset[str] = frozenset()
        self._fetched_at = self._missed_at = -float("inf")
        self._fetching: asyncio.Task[None] | None = None
        self._reading: asyncio.Future[SigningKeys] | None = None
        """The read on a thread. It outlives a fetch that timed out: a thread cannot be stopped. At most one runs."""
        self._error = ""

    def has(self, fingerprint: str) -> bool:
        """Whether the key is in force, as far as is known now: the same key, not another one with its id."""
        return fingerprint in self._fingerprints

    async def key(self, key_id: str, algorithm: str) -> SigningKey | None:
        """The key with this id and algorithm; None if the issuer has none, or several. Never raises."""
        found = self._keys.by_id.get((key_id, algorithm))
        if found is None and (self._may_look() or self._fetching is not None):
            await self.refresh(force=True)
            found = self._keys.by_id.get((key_id, algorithm))
        return found

    def _may_look(self) -> bool:
        """Whether an unknown key id may cause a fetch now; if so, ``MISS_INTERVAL`` begins."""
        if self._monotonic() - self._missed_at < MISS_INTERVAL:
            return False
        self._missed_at = self._monotonic()
        return True

    async def refresh(self, *, force: bool = False) -> None:
        """Fetch the keys if they are due, or with ``force``; concurrent calls share one fetch. Never raises."""
        if force or self._is_due():
            await asyncio.shield(self._begin())

    def refresh_soon(self) -> None:
        """Begin to fetch the keys if they are due."""
        if self._is_due():
            self._fetching = self._begin()

    def _is_due(self) -> bool:
        interval = REFRESH_INTERVAL if self._is_url else FILE_INTERVAL
        return self._monotonic() - self._fetched_at >= interval

    def _begin(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            keys = await self._read_in_time()
        except (OSError, ValueError, RecursionError, HTTPException, jwt.PyJWTError) as error:
            # Once for each cause: the source is asked again and again.
            if str(error) != self._error:
                _logger.error(
                    "keys not refreshed; the earlier ones stay in force",
                    source=self._source,
                    error=str(error),
                )
            self._error = str(error)
        else:
            self._log_changes(keys)
            self._keys, self._error = keys, ""
            self._fingerprints = frozenset(key.fingerprint for key in keys.by_id.values())
        finally:
            self._fetched_at = self._monotonic()
            self._fetching = None

    def _log_changes(self, keys: SigningKeys) -> None:
        if keys.by_id.keys() != self._keys.by_id.keys():
            key_ids = sorted({key_id for key_id, _ in keys.by_id})
            _logger.info("keys refreshed", source=self._source, key_ids=key_ids)
        if keys.ambiguous - self._keys.ambiguous:
            _logger.warning(
                "different keys of one algorithm have the same id; none of them verifies tokens",
                source=self._source,
                key_ids=sorted(keys.ambiguous),
            )

    async def _read_in_time(self) -> SigningKeys:
        if self._reading is None:
            self._reading = asyncio.ensure_future(asyncio.to_thread(self._read_keys))
        # The fetch bounds everything except the resolution of the host's name.
        done, _ = await asyncio.wait([self._reading], timeout=FETCH_TIMEOUT + 1)
        if not done:
            raise TimeoutError("no answer")
        reading, self._reading = self._reading, None
        return reading.result()

    def _read_keys(self) -> SigningKeys:
        """Read and parse the keys: on a thread, since thousands of them would block the event loop."""
        return _parse(self._read())

    def _read(self) -> bytes:
        if self._is_url:
            return fetch(self._source)
        self._permissions.check()
        with Path(self._source).open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
        check_size(data)
        return data


def _parse(data: bytes) -> SigningKeys:
    """The keys that verify signatures. Raises ValueError where there is none.

    Of several keys with the same id and algorithm none counts: which one does would depend on their order.
    """
    document: Any = json.loads(data)
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("the key set has no list 'keys'")
    keys: dict[KeyId, SigningKey] = {}
    ambiguous: set[KeyId] = set()
    for entry in entries:
        if (
            not isinstance(entry, dict)
            or entry.get("use", "sig") != "sig"
            or not isinstance(entry.get("kid"), str)
        ):
            continue
        try:
            key = jwt.PyJWK(entry)
        except (jwt.PyJWTError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            continue  # a kind of key of a later version, or none at all
        if key.algorithm_name in ALGORITHMS:
            text = json.dumps(entry, sort_keys=True).encode()
            found = SigningKey(key, hashlib.sha256(text).hexdigest())
            key_id = (entry["kid"], key.algorithm_name)
            if keys.setdefault(key_id, found).fingerprint != found.fingerprint:
                ambiguous.add(key_id)
    if not keys:
        raise ValueError("the key set has no key with an id that verifies signatures")
    usable = {key_id: key for key_id, key in keys.items() if key_id not in ambiguous}
    return SigningKeys(usable, frozenset(key_id for key_id, _ in ambiguous))
