"""The same model with channels rounded up: weights and biases of the new ones are zeros."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import TypeAlias

import numpy as np

from tinyml_profiles.channels import Channels, find_channels
from tinyml_runtime.model.check import COMPRESSION
from tinyml_runtime.model.options import DepthwiseConv2DOptions, ReshapeOptions
from tinyml_runtime.model.schema import (
    Buffer,
    Model,
    Operator,
    Quantization,
    TensorInfo,
)
from tinyml_runtime.tensor import dtype_of
from tinyml_runtime.types import TensorType

# Along each axis of a tensor, how often its channels come one after the other, and how many.
Axes: TypeAlias = tuple[tuple[int, int], ...]
# More weights than this are what a file claims, not what runs on a microcontroller.
_MOST_ELEMENTS = 2**26
_PACKED = (TensorType.INT4, TensorType.INT2, TensorType.UINT4)
_SHAPE = 1


def widen(model: Model, multiple: int) -> Model | None:
    """`model` with channels rounded up to a multiple where they may; None where none change."""
    if any(entry.name == COMPRESSION for entry in model.metadata):
        return None
    wanted = _sizes(find_channels(model), multiple)
    graph = model.subgraphs[0]
    size = sum(prod(_shape(axes)) for i, axes in wanted.items() if _data(model, graph.tensors[i]))
    if not wanted or size > _MOST_ELEMENTS or any(_is_packed(graph.tensors[i]) for i in wanted):
        return None
    buffers, tensors = list(model.buffers), list(graph.tensors)
    for index, axes in wanted.items():
        tensors[index] = _tensor(model, tensors[index], axes, buffers)
    operators = tuple(_operator(model, one, wanted, tensors, buffers) for one in graph.operators)
    wider = replace(graph, tensors=tuple(tensors), operators=operators)
    return replace(model, subgraphs=(wider, *model.subgraphs[1:]), buffers=tuple(buffers))


def _sizes(channels: Channels, multiple: int) -> Mapping[int, Axes]:
    """The new sizes of the tensors that change."""
    free = channels.free()
    whole = {channels.group(a): (channels.group(b), times) for a, b, times in channels.flattened}
    found: dict[int, list[tuple[int, int]]] = {}
    for leader, places in free.items():
        part, times = whole.get(leader, (leader, 1))
        size = -(-channels.size(part) // multiple) * multiple
        for tensor, axis in places:
            if times * size != channels.size((tensor, axis)):
                same = [(1, old) for old in channels.tensors[tensor].shape]
                found.setdefault(tensor, same)[axis] = times, size
    return {tensor: tuple(axes) for tensor, axes in found.items()}


def _shape(axes: Axes) -> tuple[int, ...]:
    return tuple(times * channels for times, channels in axes)


def _is_packed(info: TensorInfo) -> bool:
    return info.type in _PACKED or info.sparsity is not None


def _data(model: Model, info: TensorInfo) -> bytes | memoryview:
    return model.buffers[info.buffer].data if info.buffer < len(model.buffers) else b""


def _tensor(model: Model, info: TensorInfo, axes: Axes, buffers: list[Buffer]) -> TensorInfo:
    """The tensor in its new shape; `buffers` gets the bytes of a constant."""
    data, buffer, shape = _data(model, info), info.buffer, _shape(axes)
    if len(data):
        values = np.frombuffer(data, dtype_of(info.type), count=info.elements)
        # Behind the channels that there are, each time that they come.
        pairs = [(times, old // times) for (times, _), old in zip(axes, info.shape, strict=True)]
        more = [
            pad
            for (_, new), (_, old) in zip(axes, pairs, strict=True)
            for pad in ((0, 0), (0, new - old))
        ]
        values = values.reshape([size for pair in pairs for size in pair])
        buffer = len(buffers)
        buffers.append(Buffer(np.pad(values, more, constant_values=_zero(info)).tobytes()))
    return replace(
        info,
        shape=shape,
        shape_signature=(),
        buffer=buffer,
        quantization=_quantization(info.quantization, shape),
    )


def _zero(info: TensorInfo) -> int:
    """What stands for 0 in the tensor."""
    points = () if info.quantization is None else info.quantization.zero_points
    return points[0] if len(points) == 1 else 0


def _quantization(found: Quantization | None, shape: tuple[int, ...]) -> Quantization | None:
    """The new channels have the scale of the last one."""
    if found is None or len(found.scales) < 2 or found.dimension >= len(shape):
        return found
    missing = shape[found.dimension] - len(found.scales)
    return replace(
        found,
        scales=found.scales + found.scales[-1:] * missing,
        zero_points=found.zero_points + found.zero_points[-1:] * missing,
    )


def _operator(
    model: Model,
    operator: Operator,
    wanted: Mapping[int, Axes],
    tensors: list[TensorInfo],
    buffers: list[Buffer],
) -> Operator:
    """The operator; where it reshapes or has several outputs of a channel, for the new shapes."""
    name = model.code(operator).name
    if isinstance(operator.options, DepthwiseConv2DOptions):
        source, weights = (tensors[i].shape[-1] for i in operator.inputs[:2])
        return replace(
            operator, options=replace(operator.options, depth_multiplier=weights // source)
        )
    if name != "RESHAPE" or operator.outputs[0] not in wanted:
        return operator
    shape = tensors[operator.outputs[0]].shape
    if len(operator.inputs) > _SHAPE and operator.inputs[_SHAPE] >= 0:
        index = operator.inputs[_SHAPE]
        values = np.array(shape, dtype_of(tensors[index].type))
        tensors[index] = replace(tensors[index], buffer=len(buffers))
        buffers.append(Buffer(values.tobytes()))
    return replace(operator, options=ReshapeOptions(shape))
