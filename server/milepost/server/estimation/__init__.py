"""Estimates of the jobs in the log: what is known of running jobs and of kinds, within bounds."""
