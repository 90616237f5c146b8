"""What `calibrate` is made of: rows to fit, the fit, its report, the file of the new target."""
