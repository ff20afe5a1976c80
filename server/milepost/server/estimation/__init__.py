"""Estimates as the contract has them: observes running jobs, keeps histories of kinds, and asks ``forecasting``."""
