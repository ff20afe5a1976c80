"""Send a bearer token with each call of a gRPC channel."""

from __future__ import annotations

from typing import Any

import grpc.aio

__all__ = ["bearer_interceptors"]


def bearer_interceptors(token: str) -> list[grpc.aio.ClientInterceptor]:
    """Interceptors that send a bearer token with each call: grpc.aio takes each for one type of call only."""

    async def intercept(_: object, continuation: Any, details: Any, request: Any) -> Any:
        metadata = grpc.aio.Metadata(*(details.metadata or ()), ("authorization", f"Bearer {token}"))
        return await continuation(details._replace(metadata=metadata), request)

    return [
        type("Bearer", (base,), {f"intercept_{name}": intercept})()
        for name, base in (
            ("unary_unary", grpc.aio.UnaryUnaryClientInterceptor),
            ("unary_stream", grpc.aio.UnaryStreamClientInterceptor),
            ("stream_stream", grpc.aio.StreamStreamClientInterceptor),
        )
    ]
