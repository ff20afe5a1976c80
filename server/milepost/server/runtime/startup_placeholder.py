"""Services that are there before what serves them: a server can be asked how it is while it still catches up."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import ServiceDescriptor

from milepost.server.rpc.refusal import Refusal
from milepost.v1 import ErrorReason


class StartupPlaceholder:
    """A servicer whose methods refuse with STORE_UNAVAILABLE until ``arrive`` says who serves them."""

    def __init__(self, service: ServiceDescriptor) -> None:
        self._servicer: object | None = None
        for method in service.methods:
            setattr(self, method.name, self._method(method.name))

    def arrive(self, servicer: object) -> None:
        """From now on this one serves."""
        self._servicer = servicer

    def _method(self, name: str) -> Any:
        def call(request: Any, context: Any) -> Any:
            if self._servicer is None:
                raise Refusal(
                    ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
                    "The server is starting: it still reads what happened. Try again, or another one.",
                    retry_delay=1.0,
                )
            return getattr(self._servicer, name)(request, context)

        return call
