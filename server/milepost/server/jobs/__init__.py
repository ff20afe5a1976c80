"""Jobs as those see them who submit, list and cancel them."""
