"""Estimates of the remaining time of jobs, from the runs of their kind that ended before. Pure."""
