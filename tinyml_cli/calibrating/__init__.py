"""What `tinyml calibrate` does with logs and models."""
