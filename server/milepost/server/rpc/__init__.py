"""The gRPC services: validation of requests, refusals as statuses, and registration."""
