"""Following jobs: reconnecting streams, their cursors, and what they fall back to."""
