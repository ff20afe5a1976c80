"""The forms that an archive can have, chosen by the suffix of its name."""

from __future__ import annotations

import lzma
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, BinaryIO, Final

import zstandard

__all__ = ["FORMATS", "Format", "format_of"]

# Levels at which a slow core still manages some 20 MB/s, or 5 with xz.
_ZSTD_LEVEL: Final = 12
_XZ_PRESET: Final = 2


@dataclass(frozen=True)
class Format:
    """A form of an archive.

    Attributes:
        suffix: What its name ends with.
        media_type: What it is, as RFC 6838 has it.
        compressing: Opens a compressed stream over a file that is open for writing. Leaving it ends the stream.
        decompressing: Opens the plain stream of a compressed file.
    """

    suffix: str
    media_type: str
    compressing: Callable[[BinaryIO], IO[bytes]]
    decompressing: Callable[[BinaryIO], IO[bytes]]


def format_of(name: str) -> Format | None:
    """The form that a file of this name has; None where its suffix is not a known one."""
    return next((form for form in FORMATS if name.endswith(form.suffix) and name != form.suffix), None)


def _to_zstd(file: BinaryIO) -> IO[bytes]:
    # One thread, since with more the bytes are others.
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
