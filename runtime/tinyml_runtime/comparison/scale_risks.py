"""What scales and weights show without any values of activations.

Shifts to the left, operands that vanish, accumulators and biases that can overflow.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyml_runtime.comparison.findings import Finding, Subject, decibels
from tinyml_runtime.quantization import is_quantized, stored_range
from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import TensorType

# Positions of data, weights and bias.
_LAYERS = {
    "CONV_2D": (0, 1, 2),
    "DEPTHWISE_CONV_2D": (0, 1, 2),
    "FULLY_CONNECTED": (0, 1, 2),
    "TRANSPOSE_CONV": (2, 1, 3),
}
_SUMS = ("ADD", "SUB")
# An operand with so much smaller steps is left with few of them.
_APART = 32.0
_INT32 = 2.0**31
# An overflow is a wrong result, not a coarse one.
_OVERFLOW_HARM = 60.0


def find_in_scales(subject: Subject) -> Iterator[Finding]:
    """Findings of every layer and every sum."""
    for node in subject.nodes:
        if node.operator in _LAYERS:
            yield from _of_layer(subject, node)
        elif node.operator in _SUMS:
            yield from _of_sum(subject, node)


def _of_layer(subject: Subject, node: Node) -> Iterator[Finding]:
    data, weights, bias = (subject.input(node, place) for place in _LAYERS[node.operator])
    output = subject.tensors[node.outputs[0]]
    if data is None or weights is None or not is_quantized(data) or not is_quantized(output):
        return
    scales = np.asarray(weights.quantization.scales, np.float64)
    if not scales.size:
        return
    yield from _left_shifts(subject, node, data.scale * scales / output.scale)
    if weights.is_constant:
        yield from _overflows(subject, node, data, weights, bias)


def _left_shifts(subject: Subject, node: Node, factors: Array) -> Iterator[Finding]:
    """Accumulators of one step that become several steps of the output."""
    left = factors > 1.0
    if not left.any():
        return
    largest = float(factors.max())
    index = node.outputs[0]
    yield Finding(
        index,
        node.index,
        "left-shift",
        f"{node.operator} {node.index} multiplies {int(left.sum())} of {factors.size} channels by "
        f"up to {largest:.3g}: {subject.named(index)} steps over the values between",
        "the output's scale is too fine for the input's and the weights': look for an outlier in "
        "the representative data of the layer before",
        decibels(2.0 * largest),
    )


def _overflows(
    subject: Subject, node: Node, data: Tensor, weights: Tensor, bias: Tensor | None
) -> Iterator[Finding]:
    """The largest accumulator that any input can make, against 32 bits."""
    if data.type is TensorType.INT16 and (bias is None or bias.type is not TensorType.INT32):
        return  # these accumulate in 64 bits
    lowest, highest = stored_range(data)
    reach = max(highest - data.zero_point, data.zero_point - lowest)
    channels = _channels_last(node, weights)
    bounds = np.abs(channels.astype(np.float64)).sum(axis=0) * reach
    stored = np.zeros(bounds.size)
    if bias is not None and bias.is_constant and bias.size == bounds.size:
        stored = np.abs(bias.values.reshape(-1).astype(np.float64))
    worst = float((bounds + stored).max(initial=0.0))
    if worst >= _INT32:
        yield Finding(
            node.outputs[0],
            node.index,
            "accumulator-overflow",
            f"{node.operator} {node.index} can add up to {worst:.3g}, 32 bits end at {_INT32:.3g} "
            f"({int((bounds + stored >= _INT32).sum())} of {bounds.size} channels)",
            "keep the bias in 64 bits (int16 layers), or split the layer's input channels",
            _OVERFLOW_HARM + decibels(worst / _INT32),
        )
    saturated = int((stored >= _INT32 - 1.0).sum())
    if saturated:
        yield Finding(
            node.inputs[_LAYERS[node.operator][2]],
            node.index,
            "saturated-bias",
            f"{saturated} biases of {node.operator} {node.index} are the largest 32-bit number",
            "their channels' weights are too small for the bias: prune these channels, or give "
            "their scales a lower limit",
            _OVERFLOW_HARM,
        )


def _channels_last(node: Node, weights: Tensor) -> Array:
    """Weights as [products of a channel, channels]."""
    if node.operator == "DEPTHWISE_CONV_2D":
        return weights.values.reshape(-1, weights.shape[-1])
    return weights.values.reshape(weights.shape[0], -1).T


def _of_sum(subject: Subject, node: Node) -> Iterator[Finding]:
    first, second = subject.input(node, 0), subject.input(node, 1)
    if first is None or second is None or not (is_quantized(first) and is_quantized(second)):
        return
    fine, coarse = sorted((first, second), key=lambda tensor: tensor.scale)
    ratio = coarse.scale / fine.scale
    if ratio <= _APART:
        return
    lowest, highest = stored_range(fine)
    steps = (highest - lowest) * fine.scale / subject.tensors[node.outputs[0]].scale
    yield Finding(
        fine.index,
        node.index,
        "vanishing-operand",
        f"{node.operator} {node.index} adds operands whose scales differ {ratio:.3g} times: "
        f"{subject.named(fine.index)} moves the output by at most {steps:.1f} steps",
        "normalize the two branches to like ranges, or leave the sum in int16",
        decibels(ratio / _APART) + 6.0,
    )
