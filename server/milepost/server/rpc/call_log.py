"""The record of a gRPC call: ends the call with the status of an error, and writes its lines."""

from __future__ import annotations

import logging
from typing import Any

import grpc
import grpc.aio
from google.rpc import code_pb2
from grpc_status import rpc_status

from milepost.server.base.tracebacks import drop_tracebacks
from milepost.server.calls.call_record import CallRecord

_Context = grpc.aio.ServicerContext[Any, Any]


class CallLog:
    """A record that is written before its caller can learn how the call has ended."""

    def __init__(self, record: CallRecord, context: _Context) -> None:
        self.record = record
        self._context = context
        self._is_written = False

    def __enter__(self) -> CallRecord:
        return self.record

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not self._is_written:
            gone = error is not None and not isinstance(error, grpc.aio.AbortError)
            self.record.write("CANCELLED" if gone else _code_name(self._context.code()))

    async def abort(self, error: Exception) -> Exception:
        """End the call with the status of the error. Return what its handler has to raise, without a traceback.

        grpc.aio keeps that with the call. So no frame that it passes through may have the call: together they would be
        garbage, some eighty objects.
        """
        if isinstance(error, grpc.aio.AbortError) or _is_of_lost_connection(error):
            drop_tracebacks(error)
            return error
        status = self.record.status_of(error)
        drop_tracebacks(error)
        self._is_written = True
        self.record.write(code_pb2.Code.Name(status.code))
        try:
            if status.details:
                await self._context.abort_with_status(rpc_status.to_status(status))
            else:
                await self._context.abort(_STATUS_CODES[status.code], status.message)
        except Exception as ended:
            if not (isinstance(ended, grpc.aio.AbortError) or _is_of_lost_connection(ended)):
                raise
            drop_tracebacks(ended)
            return ended


def ignore_lost_connections() -> None:
    """Have gRPC log no traceback of a response that it could not send, whatever configures logging.

    It logs one as an error for each call whose connection is lost at that moment, which is no fault of the server. The
    access log has the call.
    """
    logging.getLogger("grpc._cython.cygrpc").addFilter(_is_not_of_lost_connection)


def _is_not_of_lost_connection(record: logging.LogRecord) -> bool:
    return not (record.exc_info and _is_of_lost_connection(record.exc_info[1]))


def _is_of_lost_connection(error: BaseException | None) -> bool:
    # The client went away while something was being sent to it (https://github.com/grpc/grpc/issues/36193).
    return isinstance(error, grpc.aio.InternalError) and type(error).__name__ == "ExecuteBatchError"


_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


def _code_name(code: Any) -> str:
    if isinstance(code, grpc.StatusCode):
        return code.name
    return _STATUS_CODES.get(code, grpc.StatusCode.OK).name
