"""What every call goes through, over gRPC and HTTP alike: admission, bounds on memory, status, log lines."""
