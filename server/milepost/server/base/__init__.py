"""What every other part of the server stands on: time, refusals, repeated work and faults, listeners, and
versions of files.
"""
