"""Metrics for Prometheus: what they are, their text format, and the port that serves them."""
