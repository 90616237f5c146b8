"""Make digits_run.log: what TFLM's profiler would print on a board that is not as we describe it.

    python examples/make_log.py > examples/digits_run.log

No board ran this. The times are our own profile of digits.tflite on nucleo-l4r5zi with the
reference kernels, with instructions taking 1.3 times as long, waiting for code 1.8 times as long,
400 cycles more for each operator, and up to 2 % added or taken away by chance: three invocations,
a tick being a cycle at 120 MHz.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from tinyml_profiles import load_target, profile_model
from tinyml_profiles.target import Calibration, Figure
from tinyml_runtime import load_model

INVOCATIONS = 3
SOURCE = "chosen for this example"


def main() -> None:
    """Print the log."""
    target = load_target("nucleo-l4r5zi")
    assert target.board is not None
    calibration = Calibration(
        core=Figure(1.3, "assumed", SOURCE),
        fetch=Figure(1.8, "assumed", SOURCE),
        operator_cycles=Figure(400, "assumed", SOURCE),
    )
    target = replace(target, board=replace(target.board, calibration=calibration))
    model = load_model(Path(__file__).parent / "digits.tflite")
    report = profile_model(model, target, "reference")
    chance = random.Random(1)
    for _ in range(INVOCATIONS):
        for node in report.nodes:
            assert node.cycles is not None
            ticks = round(node.cycles.total * chance.uniform(0.98, 1.02))
            milliseconds = int(1000 * ticks / report.clock_hz)
            print(f"{node.operator} took {ticks} ticks ({milliseconds} ms).")
        print()


if __name__ == "__main__":
    main()
