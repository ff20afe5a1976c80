"""The pages in a real Chromium: when they first paint, and when they show what the server knows."""

from bench.pages.measure_pages import measure

__all__ = ["measure"]
