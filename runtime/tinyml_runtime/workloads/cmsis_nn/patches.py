"""The patches of the image that a convolution copies out, tap by tap.

Source    CMSIS-NN `Source/ConvolutionFunctions/arm_convolve_s8.c`, `arm_convolve_s16.c`
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from tinyml_runtime.arena_uses.windows import Side, Windows
from tinyml_runtime.workloads.cmsis_nn.copying import Places, usual_places
from tinyml_runtime.workloads.cmsis_nn.inside import side_taps

_WORD = 4
# Of more taps, or of taps in more rows, the usual share starts on words: nobody waits for the walk
# through all that a file claims.
_MOST_TAPS, _MOST_ROWS = 5_000_000, 50_000
# For every position of a window its taps inside, each with the element below it.
Row = Sequence[Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Patches:
    """All copies of one image and one group: taps outside are filled, taps inside copied."""

    count: int
    rows: int
    taps: int
    inside: int
    places: Places

    @property
    def outside(self) -> int:
        """Taps that lie in the padding."""
        return self.taps - self.inside


@cache
def patches_of(windows: Windows, element_bytes: int, kept: int) -> Patches:
    """The copies of one image; `kept` patches follow each other before the buffer is reused.

    Places are the mean over images and groups, which do not all begin on words.
    """
    count = windows.rows.outputs * windows.columns.outputs
    inside = side_taps(windows.rows).inside * side_taps(windows.columns).inside
    length = windows.depth * element_bytes
    if length % _WORD == 0 and windows.channels * element_bytes % _WORD == 0:
        places = Places(inside, 0, 0)
    elif count * windows.taps > _MOST_TAPS or side_taps(windows.rows).all > _MOST_ROWS:
        places = usual_places(inside, length)
    else:
        rows, columns = _taps_inside(windows.rows), _taps_inside(windows.columns)
        places = _mean_places(windows, element_bytes, kept, rows, columns)
    taps = count * windows.rows.taps * windows.columns.taps
    return Patches(count, count * windows.rows.taps, taps, inside, places)


def _taps_inside(side: Side) -> list[list[tuple[int, int]]]:
    """For every position of a window its taps inside, each with the element below it."""
    result: list[list[tuple[int, int]]] = []
    for output in range(side.outputs):
        start = output * side.stride - side.before
        pairs = ((tap, start + tap * side.dilation) for tap in range(side.taps))
        result.append([(tap, element) for tap, element in pairs if 0 <= element < side.size])
    return result


def _mean_places(
    windows: Windows, element_bytes: int, kept: int, rows: Row, columns: Row
) -> Places:
    image = windows.rows.size * windows.columns.size * windows.channels * element_bytes
    groups = windows.channels // windows.depth
    starts: Counter[int] = Counter()
    for batch in range(min(windows.batch, _WORD)):
        for group in range(min(groups, _WORD)):
            start = (batch * image + group * windows.depth * element_bytes) % _WORD
            starts[start] += len(range(group, groups, _WORD))
    found = [
        (_places(windows, element_bytes, kept, rows, columns, start), count / starts.total())
        for start, count in starts.items()
    ]
    return Places(
        sum(share * places.on_words for places, share in found),
        sum(share * places.source_only for places, share in found),
        sum(share * places.neither for places, share in found),
    )


def _places(
    windows: Windows, element_bytes: int, kept: int, rows: Row, columns: Row, start: int
) -> Places:
    """Count where copies start, modulo the size of a word."""
    width, taps = windows.columns.size, windows.columns.taps
    pixel = windows.channels * element_bytes
    tap_bytes = windows.depth * element_bytes
    patch = windows.taps * tap_bytes
    across = np.array(
        [(place, tap, element) for place, row in enumerate(columns) for tap, element in row],
        np.int64,
    ).reshape(-1, 3)
    found = np.zeros(3, np.int64)
    for number, row in enumerate(rows):
        slots = (number * len(columns) + across[:, 0]) % kept
        for tap, element in row:
            source = (start + (element * width + across[:, 2]) * pixel) % _WORD
            target = ((tap * taps + across[:, 1]) * tap_bytes + slots * patch) % _WORD
            both = (source == 0) & (target == 0)
            # Where the source is off words and the target on one, or the other way round, the
            # copy starts at once.
            one = ((source == 0) | (target == 0)) & ~both
            found += both.sum(), one.sum(), (~both & ~one).sum()
    return Places(float(found[0]), float(found[1]), float(found[2]))
