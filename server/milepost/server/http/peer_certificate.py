"""The certificate of an HTTP client, on its way from the connection to the call."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Final

from milepost.server.access.credentials.client_certificates import AuthContext

EXTENSION: Final = "milepost.peer_certificate"
"""The extension of a request's scope that has it."""


def of_connection(connection: ssl.SSLObject | None) -> AuthContext:
    """The properties of the client's certificate, as gRPC has them; none without one."""
    der = None if connection is None else connection.getpeercert(binary_form=True)
    if connection is None or der is None:
        return {}
    fields: dict[str, Any] = connection.getpeercert() or {}
    names = fields.get("subjectAltName", ())
    return {
        "x509_pem_cert": [ssl.DER_cert_to_PEM_cert(der).encode()],
        "peer_uri": [name.encode() for kind, name in names if kind == "URI"],
        "peer_dns": [name.encode() for kind, name in names if kind == "DNS"],
    }


def of_scope(scope: Mapping[str, Any]) -> AuthContext:
    """The result of ``of_connection`` for the connection of a request."""
    found: AuthContext = scope.get("extensions", {}).get(EXTENSION, {})
    return found
