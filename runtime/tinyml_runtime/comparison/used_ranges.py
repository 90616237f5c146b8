"""What the values of activations show: unused parts of ranges, ends that cut off, dead channels.

Integer tensors with a scale only. Tensors that hold the values of another one, moved or averaged,
are left out: what is wrong with them is wrong with that one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tinyml_runtime.comparison.findings import Finding, Subject, decibels
from tinyml_runtime.quantization import is_quantized, stored_range
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import Activation

# Less of the range than this costs two bits of eight.
_SMALL_PART = 0.25
# So many values at an end are more than chance.
_SATURATED_SHARE = 0.01
_SMALLEST_SHARE = 0.001
# Of fewer values nothing can be said.
_ENOUGH_VALUES = 16
# Their results end where the range does, by definition.
_BOUNDED = frozenset(("LOGISTIC", "SOFTMAX", "LOG_SOFTMAX", "TANH"))
# They pass values on, in the scale that these have.
_PASSING = frozenset(
    (
        *("AVERAGE_POOL_2D", "BATCH_TO_SPACE_ND", "BROADCAST_TO", "CONCATENATION"),
        *("DEPTH_TO_SPACE", "EXPAND_DIMS", "GATHER", "GATHER_ND", "MAX_POOL_2D", "MAXIMUM"),
        *("MINIMUM", "MIRROR_PAD", "PACK", "PAD", "PADV2", "RESHAPE", "RESIZE_BILINEAR"),
        *("RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "SLICE", "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH"),
        *("SPLIT", "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "TRANSPOSE", "UNPACK"),
    )
)
_CLAMPS = {
    Activation.RELU: (0.0,),
    Activation.RELU6: (0.0, 6.0),
    Activation.RELU_N1_TO_1: (-1.0, 1.0),
}
_OPERATOR_CLAMPS = {"RELU": (0.0,), "RELU6": (0.0, 6.0)}


def find_in_values(subject: Subject, values: Mapping[int, Sequence[Array]]) -> Iterator[Finding]:
    """Findings of every tensor with values, one array a sample."""
    for index, samples in values.items():
        tensor, node = subject.tensors[index], subject.makers.get(index)
        if tensor.is_constant or not is_quantized(tensor):
            continue
        if tensor.size * len(samples) < _ENOUGH_VALUES:
            continue
        if node is not None and node.operator in _PASSING:
            continue
        stacked = np.stack([array.reshape(tensor.shape) for array in samples])
        yield from _unused(subject, tensor, stacked)
        yield from _saturated(subject, tensor, stacked)
        yield from _dead(subject, tensor, stacked)


def _unused(subject: Subject, tensor: Tensor, values: Array) -> Iterator[Finding]:
    lowest, highest = stored_range(tensor)
    low, high = int(values.min()), int(values.max())
    part = (high - low + 1) / (highest - lowest + 1)
    node = subject.makers.get(tensor.index)
    if part >= _SMALL_PART:
        return
    if node is not None and node.operator in _BOUNDED:
        return
    bits = math.log2(high - low + 1)
    yield Finding(
        tensor.index,
        subject.maker(tensor.index),
        "unused-range",
        f"{subject.named(tensor.index)} uses {part:.0%} of its range: stored values {low} to "
        f"{high}, {bits:.1f} of {math.log2(highest - lowest + 1):.0f} bits",
        "if these samples are typical, quantize again with them as representative data: its scale "
        "was made for larger values",
        decibels(1.0 / part),
    )


def _saturated(subject: Subject, tensor: Tensor, values: Array) -> Iterator[Finding]:
    lowest, highest = stored_range(tensor)
    node = subject.makers.get(tensor.index)
    if node is not None and node.operator in _BOUNDED:
        return
    ends = [end for end in (lowest, highest) if not _is_clamp(subject, tensor, end)]
    at_ends = [int(np.count_nonzero(values == end)) for end in ends]
    share = sum(at_ends) / values.size
    if share < _SATURATED_SHARE:
        return
    words = f"{share:.1%} of the values of {subject.named(tensor.index)} lie at an end of its range"
    if node is None:
        # The model has not cut them off, and data may well end there.
        yield Finding(
            tensor.index,
            None,
            "saturated",
            f"{words}, as white does in an image; more may have been cut off on the way in",
            "see that what makes the inputs does not leave the range that the model was made for",
            decibels(1.0 + share),
        )
        return
    yield Finding(
        tensor.index,
        subject.maker(tensor.index),
        "saturated",
        f"{words}, where larger ones are cut off",
        "quantize again with representative data that reach these values, or cut the range of the "
        "layer with RELU6 while training",
        decibels(1.0 + share / _SMALLEST_SHARE),
    )


def _is_clamp(subject: Subject, tensor: Tensor, end: int) -> bool:
    """Whether the values end there because an activation says so, or at zero."""
    node = subject.makers.get(tensor.index)
    if end == tensor.zero_point:
        return True
    if node is None:
        return False
    activation = getattr(node.options, "fused_activation", Activation.NONE)
    clamps = _OPERATOR_CLAMPS.get(node.operator, _CLAMPS.get(activation, ()))
    real = tensor.scale * (end - tensor.zero_point)
    return any(abs(real - clamp) <= tensor.scale for clamp in clamps)


def _dead(subject: Subject, tensor: Tensor, values: Array) -> Iterator[Finding]:
    channels = tensor.shape[-1] if len(tensor.shape) > 1 else 0
    if channels < 2 or values.size // channels < _ENOUGH_VALUES:
        return
    columns = values.reshape(-1, channels)
    changes: Array = (columns != columns[0]).any(axis=0)
    dead = np.flatnonzero(~changes)
    if not dead.size or tensor.index not in subject.makers:
        return
    share = dead.size / channels
    listed = ", ".join(str(channel) for channel in dead[:5].tolist())
    yield Finding(
        tensor.index,
        subject.maker(tensor.index),
        "dead-channels",
        f"{dead.size} of {channels} channels of {subject.named(tensor.index)} never change "
        f"({listed}{', ...' if dead.size > 5 else ''})",
        "prune them: their weights and work are wasted; if the float model's channels live, their "
        "scale is too coarse",
        decibels(1.0 / (1.0 - share)) if share < 1.0 else decibels(channels),
    )
