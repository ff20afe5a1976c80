"""Puts a servicer on a server, by the service's descriptor.

Unlike the generated function this lets a handler answer with bytes that are serialised already, as the watches do.
"""

from __future__ import annotations

import grpc
import grpc.aio
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from milepost.server.rpc.update_decoding import reader


def add_service(server: grpc.aio.Server, service: ServiceDescriptor, servicer: object) -> None:
    """Serves the methods of ``service`` by those of ``servicer`` that have the same names."""
    handlers: dict[str, grpc.RpcMethodHandler[Message, Message | bytes]] = {}
    for method in service.methods:
        if method.client_streaming:
            make = grpc.stream_stream_rpc_method_handler
        elif method.server_streaming:
            make = grpc.unary_stream_rpc_method_handler
        else:
            make = grpc.unary_unary_rpc_method_handler
        handlers[method.name] = make(
            getattr(servicer, method.name),
            request_deserializer=reader(GetMessageClass(method.input_type)),
            response_serializer=_serialise,
        )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.full_name, handlers),))


def _serialise(response: Message | bytes) -> bytes:
    return response if isinstance(response, bytes) else response.SerializeToString()
