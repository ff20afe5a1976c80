"""For those who operate the servers."""
