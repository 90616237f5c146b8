"""Comparing two sides of a model: what `tinyml compare` finds out, without printing it."""
