"""The edge to gRPC: what may be asked for, how it is refused, and how services are put on a server."""
