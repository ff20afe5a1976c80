"""HTTP: server-sent events beside gRPC, and beside a WebSocket manager as applications write it for themselves."""

from bench.http.measure_http import measure_idle, measure_live, measure_replay
from bench.http.measure_mounted import measure_mounted

__all__ = ["measure_idle", "measure_live", "measure_mounted", "measure_replay"]
