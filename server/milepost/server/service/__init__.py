"""The calls themselves, independent of transport: gRPC and HTTP use the same code."""
