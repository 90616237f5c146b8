"""What the `tflite-micro` wheel makes of a model: its outputs, and how much of its arena it uses.

In a process of its own, which some models bring down; the figures are what it prints.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_runtime.model.schema import Model
from tinyml_runtime.model.write import write_model
from tinyml_runtime.tensor import Array

_ARENA_BYTES = 64 << 20
_TFLM = f"""
import sys
import numpy as np
from tflite_micro.python.tflite_micro import runtime
model, feeds, results, steps, outputs = sys.argv[1:]
interpreter = runtime.Interpreter.from_file(model, arena_size={_ARENA_BYTES})
arrays, made = np.load(feeds), {{}}
for step in range(int(steps)):
    for index in range(len(arrays.files) // int(steps)):
        interpreter.set_input(arrays[f"{{step}}_{{index}}"], index)
    interpreter.invoke()
    for index in range(int(outputs)):
        made[f"{{step}}_{{index}}"] = interpreter.get_output(index).copy()
np.savez(results, **made)
interpreter.print_allocations()
"""
_FIGURE = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")


@dataclass(frozen=True)
class WheelRun:
    """The bytes of all outputs of every invocation; the arena that was used, and its head.

    TFLM records allocations here, so that the tail is larger than it is elsewhere.
    """

    outputs: list[list[bytes]]
    used_bytes: int
    head_bytes: int


def run_in_wheel(model: Model, steps: Sequence[Sequence[Array]]) -> WheelRun:
    """Run the model on the inputs of every invocation; AssertionError where the wheel refuses."""
    outputs = range(len(model.subgraphs[0].outputs))
    with tempfile.TemporaryDirectory() as folder:
        file, given, made = (Path(folder) / name for name in ("m.tflite", "in.npz", "out.npz"))
        file.write_bytes(write_model(model))
        named: dict[str, Any] = {
            f"{step}_{index}": array
            for step, feeds in enumerate(steps)
            for index, array in enumerate(feeds)
        }
        np.savez(given, **named)
        done = subprocess.run(
            [sys.executable, "-c", _TFLM, file, given, made, str(len(steps)), str(len(outputs))],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        figures = {name: int(count) for name, count in _FIGURE.findall(done.stderr)}
        with np.load(made) as results:
            values = [
                [results[f"{step}_{index}"].tobytes() for index in outputs]
                for step in range(len(steps))
            ]
    return WheelRun(values, figures["total"], figures["head"])
