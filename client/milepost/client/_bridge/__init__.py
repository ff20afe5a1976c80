"""Bridges between Milepost and the channels that an application had before."""
