"""Turns on the event loop: which caller goes next, and how long work goes on before others may.

Nothing here knows of jobs, of the log or of a transport.
"""
