"""From files to values that a model's inputs take."""
