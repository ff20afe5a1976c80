"""Detect changed TLS files."""

from __future__ import annotations

import structlog

from milepost.server.runtime.tls.tls_files import TlsContents, TlsFileError, TlsFiles

_logger = structlog.get_logger("milepost.tls")


class TlsReload:
    """The last good contents of the files. ``port`` names in the log what they are for."""

    def __init__(self, files: TlsFiles, port: str) -> None:
        """Read the files. Raises TlsFileError."""
        self._files = files
        self._port = port
        self._versions = files.versions
        self.contents = files.read()

    def changed(self) -> TlsContents | None:
        """The contents of changed files; None to keep the last good ones.

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
                _logger.error(
                    "TLS files not reloaded; the earlier ones stay in force",
                    port=self._port,
                    error=str(error),
                )
            return None
        if self._files.versions != versions:  # somebody is writing them: the next handshake reads them
            return None
        self._versions = versions
        if contents == self.contents:
            return None
        self.contents = contents
        _logger.info("TLS files reloaded", port=self._port)
        return contents
