"""Logs of measured runs: read in every format that profilers print, and laid beside a model."""
