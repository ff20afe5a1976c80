"""Credentials: tokens, JSON Web Tokens, certificates and shares, and whether one is in force."""
