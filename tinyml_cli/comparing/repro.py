"""Operators that differ without a cause, each as a model of its own with an input, on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_cli.comparing.report import CompareReport
from tinyml_cli.destination import write_bytes, write_file
from tinyml_cli.inputs.paths import reason
from tinyml_runtime import Array, Model, write_model
from tinyml_runtime.comparison.cutting import cut_nodes
from tinyml_runtime.comparison.examination import Example
from tinyml_runtime.comparison.layers import LayerComparison
from tinyml_runtime.errors import InputError

_MOST = 10
_SCRIPT = '''"""Run each operator in this folder in LiteRT and in TFLM: python run.py

Needs numpy, and ai-edge-litert or tflite-micro. `ours_K` and `theirs_K` in a .npz are the outputs
that `tinyml compare` found on both sides; here they stand beside what the runtimes give now.
"""

from pathlib import Path

import numpy as np


def litert(model, inputs, resolver):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kernels = OpResolverType[resolver]
    runtime = Interpreter(model_path=str(model), experimental_op_resolver_type=kernels)
    runtime.allocate_tensors()
    for details, array in zip(runtime.get_input_details(), inputs):
        runtime.set_tensor(details["index"], array)
    runtime.invoke()
    return [runtime.get_tensor(details["index"]) for details in runtime.get_output_details()]


def tflm(model, inputs, outputs):
    from tflite_micro.python.tflite_micro import runtime

    wheel = runtime.Interpreter.from_file(str(model), arena_size=64 << 20)
    for index, array in enumerate(inputs):
        wheel.set_input(array, index)
    wheel.invoke()
    return [wheel.get_output(index) for index in range(outputs)]


for model in sorted(Path(__file__).parent.glob("op_*.tflite")):
    arrays = np.load(model.with_suffix(".npz"))
    inputs = [arrays[f"input_{k}"] for k in range(sum(n.startswith("input_") for n in arrays))]
    count = sum(name.startswith("ours_") for name in arrays)
    ours = [arrays[f"ours_{k}"] for k in range(count)]
    theirs = [arrays[f"theirs_{k}"] for k in range(count)]
    runs = {
        "LiteRT, default": lambda: litert(model, inputs, "AUTO"),
        "LiteRT, reference kernels": lambda: litert(model, inputs, "BUILTIN_REF"),
        "TFLM": lambda: tflm(model, inputs, count),
    }
    print(model.name)
    for name, run in runs.items():
        try:
            got = run()
        except Exception as error:
            print(f"  {name}: {error}")
            continue
        for k, array in enumerate(got):
            values = np.asarray(array).reshape(ours[k].shape)
            wrong = int((values != ours[k]).sum()), int((values != theirs[k]).sum())
            print(f"  {name}, output {k}: {wrong[0]} of {values.size} elements differ from ours, "
                  f"{wrong[1]} from the other side's")
'''


def check_folder(text: str, *, force: bool) -> Path:
    """The folder for reproductions; InputError where something is in it, unless by `force`."""
    path = Path(text)
    try:
        if path.exists() and not path.is_dir():
            raise InputError(f"{text}: this is there already and is no folder")
        if not path.parent.is_dir():
            raise InputError(f"{text}: there is no folder '{path.parent}'; make it first")
        if path.is_dir() and any(path.iterdir()) and not force:
            raise InputError(f"{text}: this folder is not empty; --force writes into it")
    except (OSError, ValueError) as error:
        raise InputError(f"{text}: {reason(error)}") from None
    return path


def write_repros(folder: Path, model: Model, report: CompareReport) -> list[str]:
    """Write the operators that nothing explains, ten at most; gives what was written, in words."""
    examples = {
        layer.node.index: (layer, layer.findings.example)
        for layer in report.injecting
        if layer.findings is not None and layer.findings.example is not None
    }
    chosen = [*examples.values()][:_MOST]
    if not chosen:
        return [f"{folder}: nothing to reproduce, so nothing written"]
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: {reason(error)}") from None
    names = [_write(folder, model, layer, example) for layer, example in chosen]
    write_bytes(folder / "run.py", _SCRIPT.encode())
    write_bytes(folder / "README.md", _readme(names, report).encode())
    left = len(examples) - len(chosen)
    more = [f"{left} more operators differ without a cause; only ten are written"] if left else []
    return [f"{folder}: {', '.join(names)}, with run.py and README.md", *more]


def _write(folder: Path, model: Model, layer: LayerComparison, example: Example) -> str:
    cut = cut_nodes(model, [example.op_index])
    given = dict(zip(layer.node.inputs, example.inputs, strict=True))
    arrays: dict[str, Any] = {}
    for index, port in enumerate(cut.inputs):
        arrays[f"input_{index}"] = given[port.tensor]
    arrays |= _numbered("ours", example.ours) | _numbered("theirs", example.theirs)
    safe = "".join(c if c.isalnum() else "_" for c in layer.node.operator)[:40]
    name = f"op_{example.op_index}_{safe}"
    write_bytes(folder / f"{name}.tflite", write_model(cut.model))
    write_file(folder / f"{name}.npz", lambda file: np.savez(file, **arrays))
    return name


def _numbered(name: str, arrays: Sequence[Array]) -> dict[str, Any]:
    return {f"{name}_{index}": array for index, array in enumerate(arrays)}


def _readme(names: Sequence[str], report: CompareReport) -> str:
    lines = [
        f"# Operators that differ, {report.kernels} kernels beside {report.against}",
        "",
        f"Cut out of {Path(report.model.path).name} (sha256 {report.model.sha256}). Each `.tflite` "
        "is one operator with its constants; the `.npz` beside it has an input that both sides "
        "were given (`input_K`), and what came out (`ours_K`, `theirs_K`).",
        "",
        *(f"- `{name}.tflite`, `{name}.npz`" for name in names),
        "",
        "    python run.py",
        "",
        "runs them in LiteRT and in TFLM, where these are installed. State that an operator keeps "
        "between invocations is not among the inputs.",
        "",
    ]
    return "\n".join(lines)
