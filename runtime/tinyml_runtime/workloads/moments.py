"""How many activations of a float model are zero, told from its weights before anything runs.

RELU makes zeros, and the software that stands for an FPU is soon done with them. Taken are inputs
that are all as frequent between -1 and 1, and channels that vary apart from each other, as normal
values do: their means and variances go through the model, node by node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import erf, pi, sqrt
from typing import Any, TypeAlias

import numpy as np

from tinyml_runtime.model.options import ConcatenationOptions, Pool2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import Activation, TensorType

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
_INPUT_VARIANCE = 1 / 3
_LEAST_VARIANCE = 1e-12
_MOST_CHANNELS = 1 << 14
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_RECTIFYING = {Activation.RELU, Activation.RELU6}


@dataclass(frozen=True)
class Moments:
    """Of every channel of a tensor the mean, the variance, and the share of zeros."""

    mean: Array
    variance: Array
    zeros: Array

    def resized(self, channels: int) -> Moments:
        """The same for that many channels: rows of a flattened image repeat themselves."""
        parts = (np.resize(part, channels) for part in (self.mean, self.variance, self.zeros))
        return Moments(*parts)


def zero_shares(nodes: Sequence[Node], tensors: Sequence[Tensor]) -> Mapping[int, float]:
    """The share of zeros in each tensor of floats that a node makes first, by its index."""
    known: dict[int, Moments] = {}
    with np.errstate(all="ignore"):
        for node in nodes:
            output = node.outputs[0] if node.outputs else -1
            if output < 0 or tensors[output].type is not TensorType.FLOAT32:
                continue
            sources = [_of(tensors[index], known) for index in node.inputs if index >= 0]
            make = _MAKERS.get(node.operator)
            if make is None or not sources or not _has_weights(node, tensors):
                sources, make = [_of(tensors[output], known)], _same
            known[output] = _rectified(node, make(node, sources, tensors))
    return {index: float(np.nan_to_num(each.zeros).mean()) for index, each in known.items()}


def _has_weights(node: Node, tensors: Sequence[Tensor]) -> bool:
    """Whether there are weights to count with, where the operator has weights."""
    if node.operator not in _WEIGHTED:
        return True
    weights = tensors[node.inputs[1]] if len(node.inputs) > 1 else None
    return weights is not None and weights.is_constant and weights.size > 0


def share_of_zeros(tensor: Tensor) -> float:
    """The share of zeros in a constant."""
    return (tensor.size - int(np.count_nonzero(tensor.values))) / max(1, tensor.size)


def _of(tensor: Tensor, known: Mapping[int, Moments]) -> Moments:
    """What is known of a tensor: of constants all, of inputs their range."""
    if tensor.index in known:
        return known[tensor.index]
    none = np.zeros(_channels(tensor))
    if not tensor.is_constant or not tensor.size:
        return Moments(none, none + _INPUT_VARIANCE, none)
    values = tensor.values.reshape(-1, (tensor.shape or (1,))[-1]).astype(np.float64)
    return Moments(values.mean(axis=0), values.var(axis=0), (values == 0).mean(axis=0))


def _same(node: Node, sources: Sequence[Moments], tensors: Sequence[Tensor]) -> Moments:
    return sources[0].resized(_channels(tensors[node.outputs[0]]))


def _channels(tensor: Tensor) -> int:
    """Channels to be told apart: a file may claim any number that no weights stand for."""
    return min(max(1, tensor.shape[-1]), _MOST_CHANNELS) if tensor.shape else 1


def _weighted(node: Node, sources: Sequence[Moments], tensors: Sequence[Tensor]) -> Moments:
    """Filters of shape [filters, taps..., depth], each with a bias."""
    weights = tensors[node.inputs[1]]
    filters, depth = weights.shape[0], weights.shape[-1]
    taps = weights.values.reshape(filters, -1, depth).astype(np.float64)
    source = sources[0].resized(depth)
    return _summed(
        taps.sum(axis=1) @ source.mean, np.square(taps).sum(axis=1) @ source.variance, sources[2:]
    )


def _depthwise(node: Node, sources: Sequence[Moments], tensors: Sequence[Tensor]) -> Moments:
    """Weights of shape [1, taps..., channels]; neighbouring channels have the same input."""
    weights = tensors[node.inputs[1]]
    channels = weights.shape[-1]
    taps = weights.values.reshape(-1, channels).astype(np.float64)
    depth = len(sources[0].mean)
    from_channel = np.arange(channels) * depth // channels
    mean, variance = sources[0].mean[from_channel], sources[0].variance[from_channel]
    return _summed(taps.sum(axis=0) * mean, np.square(taps).sum(axis=0) * variance, sources[2:])


def _summed(mean: Array, variance: Array, biases: Sequence[Moments]) -> Moments:
    for bias in biases:
        mean = mean + bias.resized(len(mean)).mean
    return Moments(mean, variance, np.zeros(len(mean)))


def _added(node: Node, sources: Sequence[Moments], tensors: Sequence[Tensor]) -> Moments:
    first, other = (_same(node, [source], tensors) for source in (sources[0], sources[-1]))
    return Moments(first.mean + other.mean, first.variance + other.variance, first.zeros * 0)


def _multiplied(node: Node, sources: Sequence[Moments], tensors: Sequence[Tensor]) -> Moments:
    first, other = (_same(node, [source], tensors) for source in (sources[0], sources[-1]))
    variance = (
        first.variance * other.variance
        + first.variance * np.square(other.mean)
        + other.variance * np.square(first.mean)
    )
    zeros = 1 - (1 - first.zeros) * (1 - other.zeros)
    return Moments(first.mean * other.mean, variance, zeros)


def _pooled(node: Node, sources: Sequence[Moments], tensors: Sequence[Tensor]) -> Moments:
    """As its input, but zero only where the whole window is."""
    options = node.options_as(Pool2DOptions)
    source = _same(node, sources, tensors)
    taps = max(1, options.filter_height * options.filter_width)
    return Moments(source.mean, source.variance, source.zeros**taps)


def _joined(node: Node, sources: Sequence[Moments], tensors: Sequence[Tensor]) -> Moments:
    rank = len(tensors[node.outputs[0]].shape)
    if node.options_as(ConcatenationOptions).axis % max(1, rank) != rank - 1:
        return _same(node, sources, tensors)
    columns = ([s.mean for s in sources], [s.variance for s in sources], [s.zeros for s in sources])
    return Moments(*(np.concatenate(parts) for parts in columns))


def _rectified(node: Node, source: Moments) -> Moments:
    """Normal values with those below zero cut off, where the node does that."""
    activation = getattr(node.options, "fused_activation", Activation.NONE)
    if activation not in _RECTIFYING and node.operator not in ("RELU", "RELU6"):
        return source
    deviation = np.sqrt(np.maximum(source.variance, _LEAST_VARIANCE))
    ratio = source.mean / deviation
    above = np.array([(1 + erf(each / sqrt(2))) / 2 for each in ratio.tolist()])
    density = np.exp(-np.square(ratio) / 2) / sqrt(2 * pi)
    mean = source.mean * above + deviation * density
    square = (np.square(source.mean) + source.variance) * above + source.mean * deviation * density
    return Moments(mean, np.maximum(square - np.square(mean), 0), 1 - above)


_Make: TypeAlias = Callable[[Node, Sequence[Moments], Sequence[Tensor]], Moments]
_MAKERS: dict[str, _Make] = {
    "CONV_2D": _weighted,
    "FULLY_CONNECTED": _weighted,
    "DEPTHWISE_CONV_2D": _depthwise,
    "ADD": _added,
    "SUB": _added,
    "MUL": _multiplied,
    "AVERAGE_POOL_2D": _pooled,
    "MAX_POOL_2D": _pooled,
    "CONCATENATION": _joined,
    **dict.fromkeys(("RELU", "RELU6", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "PAD"), _same),
}
