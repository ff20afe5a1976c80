"""Run any command as a job: its process, its output, and the progress parsed from that."""
