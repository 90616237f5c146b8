"""A commented file for a board of the user's own."""

from __future__ import annotations

import json
from importlib.resources import files

_NAME = '"NAME"'


def new_board(name: str) -> str:
    """The text of a TOML file for a board called `name`, with what is to be filled in."""
    file = files("tinyml_profiles") / "data" / "new-board.toml"
    return file.read_text("utf-8").replace(_NAME, json.dumps(name, ensure_ascii=False), 1)
