"""The interface between HTTP and Milepost: calls on behalf of a caller, whichever backend makes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, TypeVar

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status

from milepost.contract.reasons import DOMAIN
from milepost.v1 import admin_service_pb2, job_service_pb2

_Outcome = TypeVar("_Outcome")

_JOBS: Final = job_service_pb2.DESCRIPTOR.services_by_name["JobService"]
_ADMIN: Final = admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"]

METHODS: Final[Mapping[str, MethodDescriptor]] = {
    method.name: method for method in (*_JOBS.methods, _ADMIN.methods_by_name["ListWorkers"])
}
"""The methods that a backend carries out, by name: those of ``JobService``, and the list of workers."""


def path_of(method: str) -> str:
    """The path of a method, such as ``/milepost.v1.JobService/GetJob``."""
    described = METHODS[method]
    return f"/{described.containing_service.full_name}/{described.name}"


Arrived: TypeAlias = Callable[[int], None]
"""Called with the number of bytes of the body that have just arrived. Raises ServiceError beyond what may be held."""

ReceiveRequest: TypeAlias = Callable[[Arrived], Awaitable[Message | bytes]]
"""Receives the request of a call, as a message or serialised. Raises ServiceError where there is none."""

Send: TypeAlias = Callable[[bytes], Awaitable[None]]
"""Sends a serialised response of a stream; returns once the reader has room for the next one."""


class SeenEnough(Exception):
    """Raised by a ``Send`` whose caller wants no more of the stream. The call then counts as one that succeeded."""


class PromptSend:
    """A ``Send`` to a reader that may have room at once.

    A backend may call ``offer`` instead while it is sending nothing else: that sends the response and returns True, or
    does nothing and returns False. It spares a task to wake up for each reader of the same event.

    ``reader`` shares offers with others, if it is set: see ``SharingReader`` of ``milepost.server.watching``.
    """

    def __init__(self, send: Send, offer: Callable[[bytes], bool], reader: object = None) -> None:
        self._send = send
        self.offer = offer
        self.reader = reader

    def __call__(self, response: bytes) -> Awaitable[None]:
        """See ``Send``."""
        return self._send(response)


Steps: TypeAlias = Generator[None, None, _Outcome]
"""Long work that yields after about a millisecond of it, and returns the outcome."""


class Caller(NamedTuple):
    """Who makes an HTTP request."""

    peer: str
    """The address as gRPC names it: ``ipv4:127.0.0.1:5000``."""
    authorization: str
    """The credential, such as ``Bearer mp_…``; empty for none."""
    scope: MutableMapping[str, Any]
    """The ASGI scope of the request."""


class ServiceError(Exception):
    """A call ended with this status, which is not OK."""

    def __init__(self, status: Status) -> None:
        self.status = status
        self.info: error_details_pb2.ErrorInfo = error_details_pb2.ErrorInfo()
        """Its reason; empty where Milepost gave none."""
        self.retry_delay: float | None = None
        """Seconds after which the same call may succeed; None if it will not without a change."""
        retry = error_details_pb2.RetryInfo()
        for detail in status.details:
            detail.Unpack(self.info)
            if detail.Unpack(retry):
                self.retry_delay = retry.retry_delay.ToTimedelta().total_seconds()
        super().__init__(f"{self.reason or status.code}: {status.message}")

    @property
    def reason(self) -> str:
        """The reason, such as ``"JOB_NOT_FOUND"``; empty where Milepost gave none."""
        return self.info.reason if self.info.domain == DOMAIN else ""


class JobsBackend(Protocol):
    """Carries out ``METHODS``, each for a caller whom it authenticates."""

    def call(
        self, method: str, receive: ReceiveRequest, caller: Caller
    ) -> AbstractAsyncContextManager[Message | bytes]:
        """Call a unary method, such as ``"GetJob"``, and yield its response, as a message or serialised.

        The request is received once the caller is admitted. Until the context is left, the response counts as one that
        the caller has not read. Raises ServiceError.
        """

    async def decode(self, method: str, response: Message | bytes) -> Message:
        """What ``call`` yields as a message; a large one is decoded while others are served."""

    async def watch(self, method: str, receive: ReceiveRequest, caller: Caller, send: Send) -> None:
        """Call ``WatchJob`` or ``WatchJobs``; ``send`` is called with serialised frames, one after the other.

        Raises ServiceError, and what ``send`` raises. Cancelling it ends the watch.
        """

    async def run_in_slices(self, steps: Steps[_Outcome]) -> _Outcome:
        """Do long work of the running call, while others are served. Raises what the work raises."""
