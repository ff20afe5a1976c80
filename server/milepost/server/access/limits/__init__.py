"""Limits of principals: how much each may use, and how its load is kept from the others."""
