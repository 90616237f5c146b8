"""TFLM and LiteRT in a process of their own: some models bring the process down."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_runtime.tensor import Array

_ARENA_BYTES = 64 << 20
_TFLM = f"""
import sys
import numpy as np
from tflite_micro.python.tflite_micro import runtime
model, feeds, results = sys.argv[1:]
interpreter = runtime.Interpreter.from_file(model, arena_size={_ARENA_BYTES})
arrays = np.load(feeds)
for index in range(len(arrays.files)):
    interpreter.set_input(arrays[f"input_{{index}}"], index)
interpreter.invoke()
outputs = {{}}
for index in range(1000):
    try:
        outputs[f"output_{{index}}"] = interpreter.get_output(index)
    except Exception:
        break
np.savez(results, **outputs)
"""


def run_tflm_apart(model: Path, feeds: list[Array]) -> list[Array] | None:
    """Outputs of the `tflite-micro` wheel; None where it refuses the model or dies of it."""
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "feeds.npz", Path(folder) / "results.npz"
        named: dict[str, Any] = {f"input_{index}": array for index, array in enumerate(feeds)}
        np.savez(given, **named)
        done = subprocess.run(
            [sys.executable, "-c", _TFLM, str(model), str(given), str(made)],
            capture_output=True,
            timeout=300,
            check=False,
        )
        if done.returncode != 0:
            return None
        with np.load(made) as results:
            return [results[f"output_{index}"] for index in range(len(results.files))]
