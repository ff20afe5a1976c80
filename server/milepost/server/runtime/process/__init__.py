"""The process itself: its memory, its threads, and whether its event loop is blocked."""
