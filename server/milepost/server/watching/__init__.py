"""Watches: follow jobs live, from any cursor."""
