"""The commands of `milepost`, one a file, and what they share."""
