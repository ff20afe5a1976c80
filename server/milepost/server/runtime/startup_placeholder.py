"""Placeholder services for the time of startup: the server answers health checks while it reads its log."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import ServiceDescriptor

from milepost.server.base.refusal import Refusal
from milepost.v1 import ErrorReason


class StartupPlaceholder:
    """A servicer whose methods refuse with STORE_UNAVAILABLE until ``replace`` sets the real servicer."""

    def __init__(self, service: ServiceDescriptor) -> None:
        self._servicer: object | None = None
        for method in service.methods:
            setattr(self, method.name, self._method(method.name))

    def replace(self, servicer: object) -> None:
        """Pass all further calls to this servicer."""
        self._servicer = servicer

    def _method(self, name: str) -> Any:
        def call(request: Any, context: Any) -> Any:
            if self._servicer is None:
                raise Refusal(
                    ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
                    "The server is starting: it is still reading its log. Try again, or try another one.",
                    retry_delay=1.0,
                )
            return getattr(self._servicer, name)(request, context)

        return call
