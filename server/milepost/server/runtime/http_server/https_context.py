"""TLS for HTTP, with the files of gRPC's port: each handshake has what they hold by then."""

from __future__ import annotations

import ssl
from typing import Any, Final

from milepost.server.runtime.tls.tls_files import TlsFiles
from milepost.server.runtime.tls.tls_reload import TlsReload

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class HttpsContext(ssl.SSLContext):
    """A context that stands for the newest one. Make it with ``of``."""

    _files: TlsFiles
    _reload: TlsReload
    _newest: ssl.SSLContext

    @classmethod
    def of(cls, files: TlsFiles) -> HttpsContext:
        """The context of these files. Raises TlsFileError."""
        context = cls(ssl.PROTOCOL_TLS_SERVER)
        context._files = files
        context._reload = TlsReload(files, "http")
        context._newest = _context(files)
        return context

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """See ``ssl.SSLContext``; the event loop calls it for each connection."""
        if self._reload.changed() is not None:
            self._newest = _context(self._files)
        return self._newest.wrap_bio(*arguments, **options)


def _context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[files.min_version]
    context.load_cert_chain(files.certificate, files.key, password=str)
    context.set_alpn_protocols(["http/1.1"])
    if files.client_ca is not None:
        context.load_verify_locations(files.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
