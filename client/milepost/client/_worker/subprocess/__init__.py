"""Handler processes: handlers that run in a process of their own."""
