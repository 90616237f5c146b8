"""Lines of a log as the board printed them, without what terminals put around them."""

from __future__ import annotations

import re
from typing import NamedTuple

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Serial monitors print `17:03:12.123 -> ` in front, boards `I (1234) name: `, web pages `<br />`.
_ARROW = re.compile(r"^\[?\d[\d:.,\- TZ]*\]?\s*(?:->|>)\s*")
_ESP_LEVEL = re.compile(r"^[EWIDV] \(\d+\) [^:]+:\s*")
_BREAK = re.compile(r"(?:<br\s*/?>|\\r|\\n)+$")


class Line(NamedTuple):
    """A line and its number, from 1 on."""

    number: int
    text: str


def split_lines(text: str) -> list[Line]:
    """The lines that say something."""
    lines = (Line(number, _plain(line)) for number, line in enumerate(text.split("\n"), 1))
    return [line for line in lines if line.text]


def _plain(line: str) -> str:
    text = _COLOURS.sub("", line).replace("\0", "").strip()
    text = _ESP_LEVEL.sub("", _ARROW.sub("", text))
    return _BREAK.sub("", text).strip()
