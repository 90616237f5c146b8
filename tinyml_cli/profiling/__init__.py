"""What `tinyml profile` finds out."""
