"""How the tables in `data/` come from measurements: scripts that are not part of the package."""
