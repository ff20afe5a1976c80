"""Abuse: what one caller that misbehaves costs all others. Each module but those of the frame is an attack, or two."""

from bench.abuse.measuring import ATTACKS, measure

__all__ = ["ATTACKS", "measure"]
