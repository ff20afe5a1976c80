"""Example jobs, small enough to read in one sitting. `milepost demo` runs one of them."""
