"""Abuse: what one caller that misbehaves costs all others. Each module but the first three is one attack."""

from bench.abuse.measuring import ATTACKS, measure

__all__ = ["ATTACKS", "measure"]
