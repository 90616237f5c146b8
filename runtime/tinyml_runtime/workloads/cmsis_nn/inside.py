"""Windows clipped at the edges of the image: how much of all of them lies inside."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tinyml_runtime.arena_uses.windows import Side, Windows


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
    rows, clipped = _taps_inside(windows.rows)
    columns, _ = _taps_inside(windows.columns)
    across, down = windows.columns.outputs, windows.rows.outputs
    return Inside(
        pixels=across * down,
        rows=rows * across,
        taps=rows * columns,
        clipped_rows=(windows.rows.taps * down - rows) * across,
        clipped_pixels=clipped * across,
    )


def rows_with_ends(windows: Windows) -> tuple[int, int]:
    """Rows of taps inside whose first tap is inside, too, and those whose last is."""
    side = windows.columns
    rows, _ = _taps_inside(windows.rows)
    starts = [output * side.stride - side.before for output in range(side.outputs)]
    reach = (side.taps - 1) * side.dilation
    first = sum(start >= 0 for start in starts)
    last = sum(start + reach < side.size for start in starts)
    return rows * first, rows * last


@cache
def _taps_inside(side: Side) -> tuple[int, int]:
    """Taps inside at all positions, and the number of positions that lack some."""
    total = clipped = 0
    for output in range(side.outputs):
        start = output * side.stride - side.before
        count = sum(0 <= start + tap * side.dilation < side.size for tap in range(side.taps))
        total += count
        clipped += count < side.taps
    return total, clipped
