"""How wide the 90 % interval of a calibrated target is: from errors of what was left out.

    variance = (PRIOR x variance before + sum over logs of (n x mean square error)) / (PRIOR + sum)

The error of a log is that of its operators, each predicted by a fit without it (or without its
model), as logarithms, by their share of the time: as if all erred together, which is the most that
another model can be off by. One log has many operators and is still one model: it counts as `n` of
at most `MOST` measurements. What the shipped interval is from counts as `PRIOR`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from tinyml_profiles.calibration.report import Compared
from tinyml_profiles.uncertainty import Interval

PRIOR = MOST = 8
# With fewer the shipped interval stays.
FEWEST = 8
# Standard deviations within which nine tenths lie, where eight values told the deviation.
_NINETY = 1.86
OF = "what was left out of this calibration, beside what was known before"


def calibrated_interval(compared: Sequence[Compared], before: Interval | None) -> Interval | None:
    """The interval after a calibration; that before where too little was left out to tell."""
    logs: dict[tuple[str, bool], list[Compared]] = defaultdict(list)
    for one in compared:
        if one.left_out_ms:
            logs[one.model, one.is_whole].append(one)
    chosen = [
        rows
        for (model, is_whole), rows in logs.items()
        if not is_whole or (model, False) not in logs
    ]
    counts = [min(MOST, len(rows)) for rows in chosen]
    if before is None or sum(counts) < FEWEST:
        return before
    squares = sum(n * _mean_square(rows) for n, rows in zip(counts, chosen, strict=True))
    known = (math.log(before.high) / _NINETY) ** 2
    variance = (PRIOR * known + squares) / (PRIOR + sum(counts))
    factor = math.exp(_NINETY * math.sqrt(variance))
    return Interval(1 / factor, factor, OF)


def _mean_square(rows: Sequence[Compared]) -> float:
    """The mean square of the errors' logarithms, by share of the time."""
    squares = [
        one.measured_ms * math.log((one.left_out_ms or one.measured_ms) / one.measured_ms) ** 2
        for one in rows
    ]
    return sum(squares) / sum(one.measured_ms for one in rows)
