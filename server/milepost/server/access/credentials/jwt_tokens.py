"""JSON Web Tokens (RFC 7519) of one issuer: verified once, then known until they expire."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import jwt

from milepost.contract import limits
from milepost.contract.sized_cache import SizedCache
from milepost.server.access.credentials.claim_names import ClaimNames
from milepost.server.access.credentials.jwks import ALGORITHMS, KeyId, KeySet, SigningKey
from milepost.server.access.credentials.refusals import token_expired, unauthenticated
from milepost.server.access.limits.principal_limits import parse_limits
from milepost.server.access.principal import EVERY_OWNER, Principal, Scope
from milepost.server.base.clock import Clock

LEEWAY: Final = 30
"""Seconds that the issuer's clock may differ."""

KNOWN_TOKENS_BYTES: Final = 8 << 20
"""Memory of the verified tokens that are remembered: 8,000 or more ordinary ones. The least recently used go first."""

PREFIX: Final = "jwt:"
"""Prefix of the credential ids and the keys of these tokens."""

_TOKEN_LENGTH: Final = 8192

# Bytes of a principal with its sets, of a text or a limit with its place in one, and of each character at most.
_PRINCIPAL_COST: Final = 700
_TEXT_COST: Final = 100
_CHARACTER_COST: Final = 4

_LATEST: Final = 253_402_300_799
"""The last second of the year 9999."""
_SCOPE_PREFIX: Final = "milepost:"


class JwtTokens:
    """Verifies tokens of one issuer, for one audience."""

    def __init__(self, keys: KeySet, issuer: str, audience: str, names: ClaimNames, clock: Clock) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._names = names
        self._clock = clock
        self._known: SizedCache[bytes, Principal] = SizedCache(KNOWN_TOKENS_BYTES)

    async def principal(self, token: str) -> Principal:
        """The principal of a token. Raises UNAUTHENTICATED, TOKEN_EXPIRED."""
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is not None and self._is_signed_in_force(known):
            self._check_time(known)
            return known
        if len(token) > _TOKEN_LENGTH:
            raise unauthenticated(f"The token has over {_TOKEN_LENGTH:,} characters.")
        key = await self._keys.key(*_key_id(token))
        if key is None:
            raise unauthenticated(
                "The token is signed with a key that its issuer does not have, as far as the server knows, "
                "or whose id other keys have, too.",
                known,  # verified when the issuer had the key
            )
        principal = self._verified(token, key)
        self._known.put(digest, principal, _memory(principal))
        return principal

    def check(self, principal: Principal) -> None:
        """Check that the token of an open call is still in force. Raises TOKEN_EXPIRED."""
        self._check_time(principal)
        if not self._is_signed_in_force(principal):
            raise token_expired(
                "The issuer has withdrawn the key of the token. Authenticate with another one.", principal
            )

    async def refresh(self) -> None:
        """Fetch the issuer's keys again if they are due."""
        await self._keys.refresh()

    def refresh_soon(self) -> None:
        """Begin to fetch the issuer's keys again if they are due."""
        self._keys.refresh_soon()

    def _is_signed_in_force(self, principal: Principal) -> bool:
        return self._keys.has(principal.key.removeprefix(PREFIX))

    def _verified(self, token: str, key: SigningKey) -> Principal:
        try:
            claims = jwt.decode(
                token,
                key.jwk,
                algorithms=[key.jwk.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud"], "verify_exp": False},
            )
        except jwt.ImmatureSignatureError:
            raise unauthenticated("The token is not valid yet.") from None
        except jwt.InvalidIssuerError:
            raise unauthenticated("The token is of another issuer.") from None
        except jwt.InvalidAudienceError:
            raise unauthenticated("The token is for another audience.") from None
        except jwt.PyJWTError:
            raise unauthenticated("The token's signature or form is wrong.") from None
        principal = self._principal(claims, token, key)
        self._check_time(principal)
        return principal

    def _principal(self, claims: Mapping[str, Any], token: str, key: SigningKey) -> Principal:
        names = self._names
        expires, subject, kinds = claims["exp"], _claim(claims, names.subject), _claim(claims, names.kinds)
        if type(expires) not in (int, float) or not abs(expires) <= _LATEST:
            raise unauthenticated(f"The token's expiry is not a number of seconds up to {_LATEST:,}.")
        if not _is_name(subject) or not subject or not subject.isprintable():
            raise unauthenticated(
                f"The token's subject is not printable text of 1 to {limits.NAME_LENGTH} characters."
            )
        if kinds is not None and (not kinds or not all(map(_is_name, _listed(kinds)))):
            # Were unreadable patterns dropped there might be none left, which would mean every kind.
            raise unauthenticated("The token's kinds are not a list of patterns.")
        owners = _texts(_claim(claims, names.owners))
        known = set(Scope)
        scopes = {
            name.removeprefix(_SCOPE_PREFIX) for name in _texts(_claim(claims, names.scopes), split=True)
        }
        token_id = claims.get("jti")
        if not isinstance(token_id, str) or not token_id.isprintable():
            token_id = hashlib.sha256(token.encode()).hexdigest()[:16]
        return Principal(
            subject=subject,
            owners=None if EVERY_OWNER in owners else frozenset(owners),
            scopes=frozenset(Scope(name) for name in scopes if name in known),
            kinds=tuple(_texts(kinds)),
            limits=_limits(_claim(claims, names.limits)),
            expire_time=int(expires) * 10**9,
            credential_id=f"{PREFIX}{key.jwk.key_id}:{token_id[: limits.NAME_LENGTH]}",
            key=f"{PREFIX}{key.fingerprint}",
        )

    def _check_time(self, principal: Principal) -> None:
        assert principal.expire_time is not None
        if self._clock.now() >= principal.expire_time + LEEWAY * 10**9:
            raise token_expired("The token has expired. Authenticate with another one.", principal)


def _memory(principal: Principal) -> int:
    """The bytes, about, that a principal takes with its place in a cache."""
    texts = [
        principal.subject,
        principal.credential_id,
        principal.key,
        *principal.kinds,
        *(principal.owners or ()),
    ]
    size = _PRINCIPAL_COST + len(principal.limits) * _TEXT_COST
    return size + sum(_TEXT_COST + _CHARACTER_COST * len(text) for text in texts)


def _key_id(token: str) -> KeyId:
    """The id and the algorithm of the key that the token says it is signed with. Raises UNAUTHENTICATED."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise unauthenticated("The token is malformed.") from None
    key_id, algorithm = header.get("kid"), header.get("alg")
    if algorithm not in ALGORITHMS or not isinstance(key_id, str) or not key_id:
        raise unauthenticated(
            f"The token has no key id, or is not signed with one of {', '.join(ALGORITHMS)}."
        )
    return key_id, algorithm


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """The claim at a path; None if there is none. A claim whose own name has dots wins, as issuers use URLs."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _limits(claim: Any) -> tuple[tuple[str, int], ...]:
    """The limits of a claim. Raises UNAUTHENTICATED: a token whose limits cannot be enforced is refused."""
    if isinstance(claim, str):
        claim = claim.split()
    try:
        return parse_limits(map(str, [] if claim is None else claim))
    except (TypeError, ValueError):
        raise unauthenticated("The token's claim of limits is malformed.") from None


def _texts(value: Any, *, split: bool = False) -> Iterable[str]:
    """A claim as texts: a list of them, or one; with ``split`` one text has several, separated by spaces."""
    if isinstance(value, str):
        value = value.split() if split else [value]
    return list(filter(_is_name, value)) if isinstance(value, list) else []


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_name(value: Any) -> bool:
    """Whether it is text that protobuf accepts: JSON may have lone surrogates, which are not characters."""
    return (
        isinstance(value, str)
        and len(value) <= limits.NAME_LENGTH
        and not any("\ud800" <= character <= "\udfff" for character in value)
    )
