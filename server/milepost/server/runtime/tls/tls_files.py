"""The files of TLS: certificate chain, key, and the authorities of clients. Checked before gRPC gets them.

gRPC's own errors say little, and it would take a key that does not belong to the certificate.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from milepost.server.base.file_versions import FileVersion, file_version


class TlsFileError(ValueError):
    """The files cannot be used; the message says which."""


class TlsContents(NamedTuple):
    """The contents of the files, in PEM. ``client_ca`` is None where clients need no certificate."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None


class TlsFiles(NamedTuple):
    """Paths of PEM files; with ``client_ca`` clients need a certificate of one of these authorities."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    min_version: str = "1.2"
    """Oldest version that clients may use: ``1.2`` or ``1.3``."""

    @property
    def versions(self) -> Sequence[FileVersion]:
        """The versions of the files; they differ once any file has changed."""
        return [file_version(path) for path in self._paths]

    @property
    def _paths(self) -> Sequence[Path]:
        return [path for path in self[:3] if path is not None]

    def read(self) -> TlsContents:
        """Check the files and return what they hold. Raises TlsFileError."""
        try:
            self._check()
            return TlsContents(
                self.certificate.read_bytes(),
                self.key.read_bytes(),
                None if self.client_ca is None else self.client_ca.read_bytes(),
            )
        except OSError as error:
            raise TlsFileError(f"{error.filename!r} cannot be read: {error.strerror}") from error

    def _check(self) -> None:
        for path in self._paths:
            path.open("rb").close()  # the errors of ssl do not say which file is missing
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key, password=str)
        except ssl.SSLError as error:
            raise TlsFileError(
                f"{str(self.certificate)!r} and {str(self.key)!r} are not a certificate chain and its key, in PEM "
                "without a password"
            ) from error
        if self.client_ca is None:
            return
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(self.client_ca)
        except ssl.SSLError as error:
            raise TlsFileError(f"{str(self.client_ca)!r} has no certificates in PEM") from error
