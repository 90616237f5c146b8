"""SignalOverlapAdd: overlapping frames added up to one stream of samples.

Shapes    input [..., frames, frame_size] -> output [..., frames * frame_step]
Types     int16, saturated after every frame; float32
State     the sums of samples that later frames add to
Source    tflite-micro `signal/micro/kernels/overlap_add.cc`, `signal/src/overlap_add.cc`
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.signal.options import read_integers
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
    check_type,
)
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import TensorType

INPUT = 0
OUTPUT = 0

INT16_MIN, INT16_MAX = -(2**15), 2**15 - 1

_TYPES = {int(kind): kind for kind in (TensorType.INT16, TensorType.FLOAT32)}


@dataclass(frozen=True, slots=True)
class OverlapAddData:
    """Frames of each input and their step; `sums`, [streams, frame_size], is state."""

    frames: int
    step: int
    stackable: bool
    sums: Array


def prepare(context: PrepareContext, node: Node) -> OverlapAddData:
    """Check the operands; start with sums of zero."""
    check_counts(node, (1,))
    number, step = read_integers(node, "T", "frame_step")
    check(number in _TYPES, f"option T is {number}, which is no element type of this kernel")
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check_type(source, "the input", _TYPES[number])
    check_type(output, "the output", _TYPES[number])
    shape: list[int] = list(source.shape)
    check(len(shape) >= 2 and source.size > 0, f"the input has shape {shape}")
    *outer, frames, size = shape
    check(0 < step <= size, f"frames of {size} samples cannot step by {step}")
    check_shape(output, "the output", (*outer, frames * step))
    sums = np.zeros((source.size // (frames * size), size), source.dtype)
    return OverlapAddData(frames, step, not source.is_constant, sums)


def evaluate(context: EvalContext, node: Node, data: OverlapAddData) -> None:
    """Add frame after frame; put out what no later one reaches."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    sums, step = data.sums, data.step
    streams, size = sums.shape
    inputs = source.reshape(-1, streams, data.frames, size)
    outputs = output.reshape(-1, streams, data.frames, step)
    for index in np.ndindex(len(inputs), data.frames):
        part = index[0], slice(None), index[1]
        _add(sums, inputs[part])
        outputs[part] = sums[:, :step]
        sums[:, :-step] = sums[:, step:]
        sums[:, -step:] = 0


def _add(sums: Array, frame: Array) -> None:
    if sums.dtype == np.float32:
        np.add(sums, frame, out=sums)
        return
    wide = sums.astype(np.int32)
    np.add(wide, frame, out=wide)
    np.clip(wide, INT16_MIN, INT16_MAX, out=wide)
    np.copyto(sums, wide, casting="unsafe")


def _reset(data: OverlapAddData) -> None:
    data.sums.fill(0)


def _stacks(data: OverlapAddData) -> bool:
    return data.stackable


SIGNAL_OVERLAP_ADD = Registration("SignalOverlapAdd", prepare, evaluate, _stacks, _reset)
