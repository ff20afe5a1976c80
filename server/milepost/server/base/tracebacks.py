"""Tracebacks of errors that end calls: they have the frames of the call, and so its request and its response."""

from __future__ import annotations


def drop_tracebacks(error: BaseException) -> None:
    """Free what the functions hold that the error has passed through.

    An error is often in a cycle with such a frame, or with what keeps the error: grpc.aio keeps the exception that ends
    a call, with this one, in the call; and a frame that awaits a future has the future, which has the error. The cycle
    would last until the garbage collector runs, which may be long, while the budgets of memory count nothing of it any
    more. Frames themselves are not cleared: an error that several calls wait for, such as one of the store, has frames
    of calls that go on.
    """
    passed: BaseException | None = error
    while passed is not None:
        passed.__traceback__ = None
        passed = passed.__context__
