"""Real jobs, to read and to run."""
