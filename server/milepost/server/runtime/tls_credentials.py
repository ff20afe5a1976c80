"""The TLS credentials of the server's port, which follow their files."""

from __future__ import annotations

from typing import Any

import grpc
import structlog

from milepost.server.runtime.tls_files import TlsContents, TlsFileError, TlsFiles

_log = structlog.get_logger("milepost.tls")


class TlsCredentials:
    """Reads changed files again before each handshake. Connections keep what they began with."""

    def __init__(self, files: TlsFiles) -> None:
        """Read the files. Raises TlsFileError."""
        self._files = files
        self._versions = files.versions
        self._contents = files.read()

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """The credentials for gRPC; with a client CA it completes no handshake without a client certificate."""
        # Its stubs do not say that the callback may return None, as gRPC's documentation does.
        fetch: Any = self._changed
        return grpc.dynamic_ssl_server_credentials(
            _configuration(self._contents),
            fetch,
            require_client_authentication=self._files.client_ca is not None,
        )

    def _changed(self) -> grpc.ServerCertificateConfiguration | None:
        """What changed files hold; None to go on with the last good ones. gRPC calls it on a thread of its own.

        An error is logged once for each version of the files.
        """
        versions = self._files.versions
        if versions == self._versions:
            return None
        try:
            contents = self._files.read()
        except TlsFileError as error:
            if self._files.versions == versions:
                self._versions = versions
                _log.error("TLS files not reloaded; the earlier ones stay in force", error=str(error))
            return None
        if self._files.versions != versions:  # somebody is writing them: the next handshake reads them
            return None
        self._versions = versions
        if contents == self._contents:
            return None
        self._contents = contents
        _log.info("TLS files reloaded")
        return _configuration(contents)


def _configuration(contents: TlsContents) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(contents.key, contents.certificate)], root_certificates=contents.client_ca
    )
