"""What gRPC says of a connection, in words for people. Nothing is decided by them."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["gist"]

# The first that is found counts. What gRPC says goes from the general to the particular.
_WORDS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        ("connection refused", "connection refused"),
        ("wrong_version_number", "it does not speak TLS"),
        ("hostname verification|hostname mismatch", "its certificate is for another name"),
        ("certificate_verify_failed|issuer certificate|self.signed", "its certificate is not trusted"),
        ("certificate has expired", "its certificate has expired"),
        ("name not found|name or service not known|lookup|resol", "its name is not known"),
        ("no route to host|network is unreachable", "there is no way to it"),
        ("http1.x server|parsing http/2", "what listens there does not speak gRPC"),
        ("timeout|timed out|deadline exceeded", "no answer"),
        ("reset by peer|socket closed|broken pipe|goaway|recvmsg|eof", "the connection was cut"),
    )
)


def gist(details: str) -> str:
    """Why a server cannot be reached, as far as the details of a status tell; in their own words where nothing fits."""
    for pattern, words in _WORDS:
        if pattern.search(details):
            return words
    return details.rpartition(": ")[2].strip()
