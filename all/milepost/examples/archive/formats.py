"""The formats of archives, chosen by the suffix of the name."""

from __future__ import annotations

import lzma
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, BinaryIO, Final

import zstandard

__all__ = ["FORMATS", "Format", "format_of"]

# Levels at which a slow core still reaches some 20 MB/s, or 5 with xz.
_ZSTD_LEVEL: Final = 12
_XZ_PRESET: Final = 2


@dataclass(frozen=True)
class Format:
    """A format of archives.

    Attributes:
        suffix: The end of the file's name.
        media_type: The media type (RFC 6838).
        compressing: Opens a compressing stream on a file that is open for writing; closing it completes the stream.
        decompressing: Opens a decompressing stream on a file.
    """

    suffix: str
    media_type: str
    compressing: Callable[[BinaryIO], IO[bytes]]
    decompressing: Callable[[BinaryIO], IO[bytes]]


def format_of(name: str) -> Format | None:
    """The format of a file with this name; None if its suffix is unknown."""
    return next((form for form in FORMATS if name.endswith(form.suffix) and name != form.suffix), None)


def _to_zstd(file: BinaryIO) -> IO[bytes]:
    # One thread: with more the bytes differ.
    compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True)
    return compressor.stream_writer(file, closefd=False)


def _from_zstd(file: BinaryIO) -> IO[bytes]:
    return zstandard.ZstdDecompressor().stream_reader(file, closefd=False)


def _to_xz(file: BinaryIO) -> IO[bytes]:
    return lzma.LZMAFile(file, "w", preset=_XZ_PRESET)


def _from_xz(file: BinaryIO) -> IO[bytes]:
    return lzma.LZMAFile(file)


FORMATS: Final = (
    Format(".tar.zst", "application/zstd", _to_zstd, _from_zstd),
    Format(".tar.xz", "application/x-xz", _to_xz, _from_xz),
)
