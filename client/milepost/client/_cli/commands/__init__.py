"""Commands of `milepost`, one per file (`cmd_…`), and what they share."""
