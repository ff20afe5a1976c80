"""Register a servicer by its service descriptor.

Unlike the generated function this allows handlers to return serialised responses, as the watches do.
"""

from __future__ import annotations

import grpc
import grpc.aio
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from milepost.server.calls.update_decoding import Deserializer
from milepost.server.messages.job_encoding import JobResponse


def add_service(server: grpc.aio.Server, service: ServiceDescriptor, servicer: object) -> None:
    """Serve each method of ``service`` with the method of ``servicer`` that has its name.

    gRPC's core keeps the waiting calls of each registered method apart, and grpc.aio takes one of each at a time. So
    calls of one method do not wait behind a flood of another. Methods that nobody has registered share one queue.
    """
    handlers: dict[str, grpc.RpcMethodHandler[Message, Message | JobResponse | bytes]] = {}
    for method in service.methods:
        if method.client_streaming:
            make = grpc.stream_stream_rpc_method_handler
        elif method.server_streaming:
            make = grpc.unary_stream_rpc_method_handler
        else:
            make = grpc.unary_unary_rpc_method_handler
        handlers[method.name] = make(
            getattr(servicer, method.name),
            request_deserializer=Deserializer(GetMessageClass(method.input_type)),
            response_serializer=_serialize,
        )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.full_name, handlers),))
    server.add_registered_method_handlers(service.full_name, handlers)


def _serialize(response: Message | JobResponse | bytes) -> bytes:
    if isinstance(response, bytes):
        return response
    return response.encode() if isinstance(response, JobResponse) else response.SerializeToString()
