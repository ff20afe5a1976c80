"""Runs the jobs of the pipeline, under the engine that MILEPOST_ENGINE names.

MILEPOST_ENGINE=worker .venv/bin/python -m examples.multitrack.work
"""

from __future__ import annotations

import logging

from examples.multitrack.pipeline import pipeline

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    pipeline.main()
