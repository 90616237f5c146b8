"""Running a model on inputs: what `tinyml run` finds out, without printing it."""
