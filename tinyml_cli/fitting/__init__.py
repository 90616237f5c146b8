"""What `tinyml fit` finds out."""
