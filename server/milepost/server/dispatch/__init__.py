"""Doing jobs: the workers' sessions, who is given what, and how long a lease lasts."""
