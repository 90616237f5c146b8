"""How wrong a latency may be: factors of a 90 % interval, from what was measured.

The factors stand in `data/intervals.toml`, made by `profiles/fit/fit_boards.py` from the errors
that predictions make on boards that were left out: by how much is known of the target. What values
of activations do comes on top.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from math import hypot
from typing import Any

from tinyml_profiles.target import Target


def interval(
    target: Target, library: str, evidence: str, spread: float = 0.0
) -> tuple[float, float] | None:
    """Factors on the latency, below 1 and above; None where nobody can say.

    `evidence` is the weakest that entered the latency, `spread` the share of it by which values may
    make it longer or shorter.
    """
    table = _intervals()
    kind = "core" if target.board is None else "board"
    names = f"{target.based_on or target.name}/{library}", f"{target.core.name}/{library}"
    for key in (*names, f"{kind}/{evidence}", kind):
        if key in table:
            low, high = float(table[key]["low"]), float(table[key]["high"])
            return max(0.0, 1 - hypot(1 - low, spread)), 1 + hypot(high - 1, spread)
    return None


@cache
def _intervals() -> Mapping[str, Any]:
    file = files("tinyml_profiles") / "data" / "intervals.toml"
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
