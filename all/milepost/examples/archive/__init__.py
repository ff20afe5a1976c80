"""The archive job: pack a directory into one reproducible file, and verify that it can be read back.

``milepost worker milepost.examples.archive:worker`` runs it. ``job.py`` wires the stages to the SDK; the other
modules do the work without Milepost.
"""

from milepost.examples.archive.job import worker

__all__ = ["worker"]
