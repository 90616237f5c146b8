"""A figure as a list of shapes: what SVG and PNG are drawn from. Units are pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

BLACK, GREY, PALE, RED, WHITE = "#1a1a1a", "#6b6b6b", "#e4e4e4", "#c62828", "#ffffff"
_WIDTH_OF_LETTER = 0.62  # of its height, on average; a little more than most fonts need


class Anchor(Enum):
    """Which end of a text is at its position."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; `title` is what a viewer shows for it."""

    x: float
    y: float
    width: float
    height: float
    fill: str | None
    outline: str = BLACK
    title: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text whose baseline begins, or ends, at the position; turned ones go upwards."""

    x: float
    y: float
    text: str
    size: float = 12
    anchor: Anchor = Anchor.START
    turned: bool = False
    colour: str = BLACK


@dataclass(frozen=True, slots=True)
class Line:
    """A line through the points."""

    points: Sequence[tuple[float, float]]
    colour: str = BLACK
    width: float = 1


Shape: TypeAlias = Box | Words | Line


@dataclass(frozen=True, slots=True)
class Figure:
    """Shapes on white, the first at the bottom."""

    width: int
    height: int
    title: str
    shapes: Sequence[Shape]


def text_width(text: str, size: float) -> float:
    """About how wide a text is."""
    return len(text) * size * _WIDTH_OF_LETTER
