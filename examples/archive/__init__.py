"""The archive job, as ``milepost worker examples.archive:worker`` runs it in a checkout.

It is `milepost.examples.archive`, which comes with the distribution `milepost`.
"""

from milepost.examples.archive import worker

__all__ = ["worker"]
