"""Followers of the log: each acts on durable job state transitions, whichever call or node caused them."""
