"""The timeout and the compression that the headers of a call ask for."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from google.rpc import code_pb2
from starlette.datastructures import Headers

from milepost.web.connect.compression import ENCODINGS
from milepost.web.http_errors import service_error
from milepost.web.service import ServiceError

# At most ten digits, as the protocol has it: 115 days.
_MILLISECONDS: Final = re.compile(r"[0-9]{1,10}")


class CallHeaders(NamedTuple):
    """The timeout and the compression of a call."""

    is_compressed: bool
    """Whether its messages may be compressed; in a stream each one says whether it is."""
    timeout: float | None
    """Seconds that the call may take."""


def read_headers(headers: Headers, *, streaming: bool) -> CallHeaders:
    """Read the headers. Raises ServiceError for another version of the protocol or an unknown compression."""
    version = headers.get("connect-protocol-version", "1")
    if version != "1":
        raise _invalid(f"Connect-Protocol-Version is {version!r}; there is version 1.")
    name = "connect-content-encoding" if streaming else "content-encoding"
    # Names of encodings have no case (RFC 9110, 8.4.1).
    encoding = (headers.get(name) or "identity").lower()
    if encoding not in ENCODINGS:
        accepted = ", ".join(ENCODINGS)
        raise service_error(
            code_pb2.UNIMPLEMENTED, f"{name.title()} is {encoding!r}; the server accepts {accepted}."
        )
    timeout = headers.get("connect-timeout-ms")
    if timeout is not None and not _MILLISECONDS.fullmatch(timeout):
        raise _invalid(f"Connect-Timeout-Ms is {timeout!r}; it takes up to ten digits.")
    return CallHeaders(encoding == "gzip", None if timeout is None else int(timeout) / 1000)


def timed_out(seconds: float | None) -> ServiceError:
    """The call has taken longer than its timeout."""
    return service_error(
        code_pb2.DEADLINE_EXCEEDED, f"The call took longer than its timeout of {seconds:g} s."
    )


def _invalid(message: str) -> ServiceError:
    return service_error(code_pb2.INVALID_ARGUMENT, message, reason="INVALID_FIELD")
