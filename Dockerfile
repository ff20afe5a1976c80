# syntax=docker/dockerfile:1

FROM ghcr.io/astral-sh/uv:0.13.9 AS uv

FROM python:3.13-slim AS build
COPY --from=uv /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/milepost \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /src

# What Milepost depends on changes seldom, so it is a layer of its own.
COPY pyproject.toml uv.lock ./
COPY all/pyproject.toml all/
COPY protos/pyproject.toml protos/
COPY client/pyproject.toml client/
COPY web/pyproject.toml web/
COPY server/pyproject.toml server/
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-dev --no-install-workspace

COPY LICENSE ./
COPY all/ all/
COPY protos/ protos/
COPY client/ client/
COPY web/ web/
COPY server/ server/
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-dev --no-editable

FROM python:3.13-slim
RUN groupadd --system --gid 10001 milepost \
    && useradd --system --uid 10001 --gid milepost --no-create-home --home-dir /data milepost \
    && install --directory --owner=milepost --group=milepost --mode=0700 /data
COPY --from=build /opt/milepost /opt/milepost
ENV PATH=/opt/milepost/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GRPC_VERBOSITY=NONE \
    MILEPOST_ADDRESS=0.0.0.0:7070 \
    MILEPOST_HTTP=0.0.0.0:7080 \
    MILEPOST_DATA=/data

# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 7070 7080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 \
    CMD ["python", "-m", "milepost.server.probe"]

# Arguments to `docker run` are options of `milepost serve`. It listens beyond the container, so it needs --tokens FILE (or
# MILEPOST_TOKENS), or --allow-anonymous.
ENTRYPOINT ["milepost", "serve"]
CMD []
