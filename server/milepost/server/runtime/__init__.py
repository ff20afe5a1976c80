"""The server process: how it starts, runs and stops, and what it is assembled from."""
