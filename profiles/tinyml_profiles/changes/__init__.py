"""Changes to a model, or to how it is built, that may make it fit a board."""
