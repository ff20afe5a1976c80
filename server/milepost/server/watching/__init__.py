"""Following jobs live, from any cursor."""
