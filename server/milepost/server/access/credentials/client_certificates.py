"""Certificates of clients, as TLS has verified them: the names by which the token file knows them, and their end."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

AuthContext: TypeAlias = Mapping[str, Iterable[bytes]]
"""The properties of a connection, as gRPC has them; empty without TLS."""

KNOWN_CERTIFICATES: Final = 1024
"""Certificates whose end is remembered; the least recently used go first."""

KNOWN_SIZE: Final = 8 << 10
"""Bytes of a certificate, in PEM, whose end is remembered. Ordinary ones have some 2 KB; larger ones are read again."""

_SEQUENCE: Final = 0x30
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_EXPLICIT_VERSION: Final = 0xA0
_LONG_LENGTH: Final = 0x80


class ClientCertificate(NamedTuple):
    """A client's certificate.

    Attributes:
        names: Its subject alternative names: URIs, then DNS names. IP addresses and the common name are left out.
        expire_time: When it expires, in nanoseconds since 1970.
    """

    names: Sequence[str]
    expire_time: int


def client_certificate(connection: AuthContext) -> ClientCertificate | None:
    """The certificate that the client has shown; None for none. Raises ValueError for one that cannot be read."""
    pem = next(iter(connection.get("x509_pem_cert", ())), None)
    if pem is None:
        return None
    names = [*connection.get("peer_uri", ()), *connection.get("peer_dns", ())]
    return ClientCertificate([name.decode(errors="replace") for name in names], expire_time(pem))


def expire_time(pem: bytes) -> int:
    """The end of a certificate's validity, in nanoseconds since 1970 (RFC 5280). Raises ValueError.

    Those of ``KNOWN_CERTIFICATES`` are remembered, of at most ``KNOWN_SIZE``.
    """
    return known_expire_time(pem) if len(pem) <= KNOWN_SIZE else _expire_time(pem)


def _expire_time(pem: bytes) -> int:
    try:
        _, certificate, _ = _element(ssl.PEM_cert_to_DER_cert(pem.decode("ascii")), _SEQUENCE)
        _, fields, _ = _element(certificate, _SEQUENCE)
        tag, _, rest = _element(fields)
        if tag == _EXPLICIT_VERSION:
            _, _, rest = _element(rest)  # the serial number
        _, _, rest = _element(rest, _SEQUENCE)  # the algorithm of the signature
        _, _, rest = _element(rest, _SEQUENCE)  # the issuer
        _, validity, _ = _element(rest, _SEQUENCE)
        _, _, rest = _element(validity)  # its beginning
        tag, end, _ = _element(rest)
        if tag not in (_UTC_TIME, _GENERALIZED_TIME):
            raise ValueError("the end of the validity is not a time")
        text = end.decode("ascii")
    except (IndexError, UnicodeDecodeError) as error:
        raise ValueError("it is not a certificate") from error
    if tag == _UTC_TIME:  # with a year of two digits, from 1950 to 2049
        text = ("19" if text >= "50" else "20") + text
    return int(datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()) * 10**9


known_expire_time = lru_cache(maxsize=KNOWN_CERTIFICATES)(_expire_time)


def _element(data: bytes, expected: int | None = None) -> tuple[int, bytes, bytes]:
    """The tag and the content of the first DER element, and what follows it. Raises IndexError, ValueError."""
    tag, length, at = data[0], data[1], 2
    if expected is not None and tag != expected:
        raise ValueError("it is not a certificate")
    if length >= _LONG_LENGTH:
        at += length - _LONG_LENGTH
        length = int.from_bytes(data[2:at])
    if at + length > len(data):
        raise ValueError("it is not a certificate, or only a part of one")
    return tag, data[at : at + length], data[at + length :]
