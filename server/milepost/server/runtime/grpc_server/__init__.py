"""The port of gRPC: how it accepts calls, what bounds them, and its health checks."""
