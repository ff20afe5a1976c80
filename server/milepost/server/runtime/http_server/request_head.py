"""The head of an HTTP request: what the parser lets pass, and a proxy in front may have read in another way.

Where two of them take a request for different ones, the second may serve what the first has refused, or take the end of
a body for a request (request smuggling, RFC 9112, 11.2). So what can be read in two ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_VERSIONS: Final = ("1.0", "1.1")

# uri-host [ ":" port ] of RFC 9110, 7.2; empty where the target has no host.
_HOST: Final = re.compile(rb"(?:\[[0-9A-Za-z:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::[0-9]*)?", re.ASCII)

_ABSOLUTE: Final = re.compile(rb"[a-z][a-z0-9+.-]*://([^/?#]*)", re.IGNORECASE)


def fault_of(version: str, target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> str:
    """What makes a request ambiguous, empty if nothing does. Names of headers are in lower case."""
    if version not in _VERSIONS:
        return "its version is neither 1.0 nor 1.1"
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        return "it does not have exactly one Host"
    host = hosts[0] if hosts else b""
    if not _HOST.fullmatch(host):
        return "its Host is malformed"
    absolute = _ABSOLUTE.match(target)
    if absolute is not None and hosts and absolute[1].lower() != host.lower():
        return "its target is of another host"
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if codings and (version == "1.0" or len(codings) > 1 or codings[0].lower() != b"chunked"):
        return "its Transfer-Encoding is not chunked"
    return ""
