"""Two runs of a model side by side: how far their values part, and at which operator."""
