"""Comparison of runs: pure functions over jobs and their events. Nothing here reads, waits or prints."""
