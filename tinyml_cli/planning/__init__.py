"""What `tinyml plan` finds out."""
