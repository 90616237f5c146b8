"""Windows clipped at the edges of the image: how much of all of them lies inside."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tinyml_runtime.arena_uses.windows import Side, Windows
from tinyml_runtime.workloads.windows import Taps, positions_below, taps_inside


@dataclass(frozen=True, slots=True)
class Inside:
    """Of all windows of one image: positions, rows inside, taps inside, and what is clipped."""

    pixels: int
    rows: int
    taps: int
    clipped_rows: int
    clipped_pixels: int


@cache
def inside_of(windows: Windows) -> Inside:
    """Count all windows of one image."""
    rows, columns = side_taps(windows.rows), side_taps(windows.columns)
    across, down = windows.columns.outputs, windows.rows.outputs
    return Inside(
        pixels=across * down,
        rows=rows.inside * across,
        taps=rows.inside * columns.inside,
        clipped_rows=(windows.rows.taps * down - rows.inside) * across,
        clipped_pixels=(down - rows.full_positions) * across,
    )


def rows_with_ends(windows: Windows) -> tuple[int, int]:
    """Rows of taps inside whose first tap is inside, too, and those whose last is."""
    side, rows = windows.columns, side_taps(windows.rows).inside
    reach = (side.taps - 1) * side.dilation
    first = side.outputs - positions_below(side.before, side.stride, side.outputs)
    last = positions_below(side.size + side.before - reach, side.stride, side.outputs)
    return rows * first, rows * last


def side_taps(side: Side) -> Taps:
    """Taps inside along one direction."""
    return taps_inside(side.size, side.taps, side.stride, side.dilation, side.outputs, side.before)
