"""Compressed requests: some clients compress all that they send. Responses are not compressed."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final

from milepost.web.request_body import malformed, too_large
from milepost.web.service import Steps

ENCODINGS: Final = ("identity", "gzip")
"""Encodings of requests that are accepted, by their names in headers."""

# How much is inflated at a time: about half a millisecond of work.
_STEP: Final = 128 << 10

_GZIP: Final = zlib.MAX_WBITS | 16


def inflate(compressed: bytes, size_limit: int, inflated: Callable[[int], None]) -> Steps[bytes]:
    """Undo gzip, in steps; ``inflated`` is called with the number of bytes of each.

    Raises ServiceError TOO_LARGE beyond ``size_limit`` bytes, INVALID_FIELD where it is not gzip, and what ``inflated``
    raises.
    """
    stream = zlib.decompressobj(_GZIP)
    chunks: list[bytes] = []
    size = 0
    pending = compressed
    while not stream.eof:
        try:
            chunk = stream.decompress(pending, _STEP)
        except zlib.error as error:
            raise malformed(f"The message is not gzip: {error}.") from error
        pending = stream.unconsumed_tail
        if not chunk and not pending and not stream.eof:
            raise malformed("The message is gzip that was cut.")
        size += len(chunk)
        if size > size_limit:
            raise too_large(size_limit)
        inflated(len(chunk))
        chunks.append(chunk)
        yield
    if stream.unused_data:
        raise malformed("The message has something after its gzip.")
    return b"".join(chunks)
