"""Bounds on memory: how many bytes a caller may hold, and how long a cache keeps what nobody uses."""
