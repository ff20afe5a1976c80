"""The server process: its parts put together, its life from start to stop, and what they all need."""
