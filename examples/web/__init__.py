"""Pages of other applications that show jobs of Milepost."""
