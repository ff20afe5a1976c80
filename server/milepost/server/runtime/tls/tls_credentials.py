"""The TLS credentials of gRPC's port, which follow their files."""

from __future__ import annotations

from typing import Any

import grpc

from milepost.server.runtime.tls.tls_files import TlsContents, TlsFiles
from milepost.server.runtime.tls.tls_reload import TlsReload


class TlsCredentials:
    """Reads changed files again before each handshake. Connections keep what they began with."""

    def __init__(self, files: TlsFiles) -> None:
        """Read the files. Raises TlsFileError."""
        self._reload = TlsReload(files, "grpc")

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """The credentials for gRPC; with a client CA it completes no handshake without a client certificate."""
        # Its stubs do not say that the callback may return None, as gRPC's documentation does.
        fetch: Any = self._changed
        contents = self._reload.contents
        return grpc.dynamic_ssl_server_credentials(
            _configuration(contents), fetch, require_client_authentication=contents.client_ca is not None
        )

    def _changed(self) -> grpc.ServerCertificateConfiguration | None:
        """What gRPC goes on with, None for no change. It calls this on a thread of its own."""
        contents = self._reload.changed()
        return None if contents is None else _configuration(contents)


def _configuration(contents: TlsContents) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(contents.key, contents.certificate)], root_certificates=contents.client_ca
    )
