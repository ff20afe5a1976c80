"""FastAPI with a page in React: it submits jobs, follows them, and cancels them.

MILEPOST_ADDRESS=127.0.0.1:7070 uvicorn examples.react.server:app
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.requests import Request

from milepost.client import Client
from milepost.web import ClientCall, milepost_app

client = Client()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with client:
        yield


def authorize(request: Request, call: ClientCall) -> bool:
    # Here it would ask who is logged in, and whose job it is.
    return call.method in ("SubmitJob", "GetJob", "WatchJob", "CancelJob")


app = FastAPI(lifespan=lifespan)
app.mount("/milepost", milepost_app(client, authorize=authorize))
app.mount("/", StaticFiles(directory=Path(__file__).parent / "dist", html=True))
