"""Metrics for Prometheus, with prometheus_client: what they are, their text, and the port that serves them."""
