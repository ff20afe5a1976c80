"""Validation of artifacts."""

from __future__ import annotations

from typing import Final

from milepost.client._conversion import finite
from milepost.client._worker.json_values import Warn
from milepost.client._worker.truncation import text_of, truncate
from milepost.contract import limits
from milepost.v1 import Artifact

__all__ = ["build_artifact"]

# Largest value of the field.
_SIZE_LIMIT: Final = 2**63 - 1


def build_artifact(
    name: str | None, uri: str | None, *, media_type: str, size_bytes: int, sha256: str, warn: Warn
) -> Artifact | str:
    """Make an artifact within the bounds of the contract, or return why it cannot be registered.

    Other values out of their bounds are truncated or omitted, with a warning.
    """
    name, uri = _text(name), _text(uri)
    if not name:
        return "An artifact needs a name."
    if not 1 <= len(uri) <= limits.ARTIFACT_URI_LENGTH:
        return f"The URI of an artifact has 1 to {limits.ARTIFACT_URI_LENGTH:,} characters, not {len(uri):,}."
    path = f"artifact {name}"
    if len(name) > limits.ARTIFACT_NAME_LENGTH:
        warn(
            path,
            f"Artifact {name!r} has a name of more than {limits.ARTIFACT_NAME_LENGTH} characters: it is cut.",
        )
    size = _size(size_bytes)
    if size is None:
        warn(f"{path}: size", f"The size of artifact {name!r} cannot be {size_bytes}: it is left unknown.")
    digest = text_of(sha256).lower()
    if digest and not limits.SHA256.fullmatch(digest):
        text = f"The SHA-256 of artifact {name!r} is not 64 hexadecimal digits, but {sha256!r:.100}: it is left out."
        warn(f"{path}: sha256", text)
        digest = ""
    return Artifact(
        name=truncate(name, limits.ARTIFACT_NAME_LENGTH),
        uri=truncate(uri, limits.ARTIFACT_URI_LENGTH),
        media_type=truncate(media_type, limits.ARTIFACT_NAME_LENGTH),
        size_bytes=size or 0,
        sha256=digest,
    )


def _text(value: str | None) -> str:
    """The text; empty for None, which a function returns that has stored nothing."""
    return "" if value is None else text_of(value)


def _size(size_bytes: float) -> int | None:
    number = None if isinstance(size_bytes, bool) else finite(size_bytes)
    size = size_bytes if isinstance(size_bytes, int) else int(number or 0)
    return size if number is not None and 0 <= size <= _SIZE_LIMIT else None
