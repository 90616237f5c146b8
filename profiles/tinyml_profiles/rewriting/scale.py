"""The same graph for a smaller image: every shape that follows from the input's is made anew.

Weights stay as they are. A model for another resolution has to be trained for it; its memory and
its latency are those of this graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tinyml_profiles.rewriting.errors import RewriteError
from tinyml_profiles.rewriting.shape_rules import NodeShapes, Shape, new_outputs
from tinyml_runtime.model.schema import Buffer, Model, Operator, SubGraph, TensorInfo
from tinyml_runtime.planning.written_plan import without_plan
from tinyml_runtime.types import TensorType

_MOST_SIZES = 32
# Converters and kernels like images whose sides are a multiple of this.
_STEP = 8
_SMALLEST = 8
_MOST_CONSTANTS = 16


def image_size(model: Model) -> tuple[int, int]:
    """Height and width of the model's image input; RewriteError if it has none."""
    graph = model.subgraphs[0]
    for index in graph.inputs:
        if _is_image(graph.tensors[index]):
            _, height, width, _ = graph.tensors[index].shape
            return height, width
    raise RewriteError("no input has a height and a width")


def smaller_sizes(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Heights and widths of the same proportion, the largest first, at most some dozens."""
    longest = max(height, width)
    step = 1 if longest <= 4 * _STEP else _STEP * -(-longest // (_MOST_SIZES * _STEP))
    for size in range((longest - 1) // step * step, _SMALLEST - 1, -step):
        rows, columns = round(height * size / longest), round(width * size / longest)
        if rows and columns:
            yield rows, columns


def scaled(model: Model, height: int, width: int) -> Model:
    """The model for images of this size.

    Raises:
        RewriteError: the model has no image input, or a node whose sizes do not follow it.
    """
    old = image_size(model)
    if len(model.subgraphs) > 1:
        raise RewriteError("subgraphs that are called have sizes of their own")
    model = without_plan(model)
    graph = model.subgraphs[0]
    shapes = [info.shape for info in graph.tensors]
    for index in graph.inputs:
        if _is_image(graph.tensors[index]) and graph.tensors[index].shape[1:3] == old:
            batch, _, _, channels = graph.tensors[index].shape
            shapes[index] = batch, height, width, channels
    buffers = list(model.buffers)
    constants: dict[int, tuple[int, ...]] = {}
    operators = [
        _scaled_node(model, place, shapes, constants) for place in range(len(graph.operators))
    ]
    tensors = [
        _changed(info, shape, constants.get(index), buffers)
        for index, (info, shape) in enumerate(zip(graph.tensors, shapes, strict=True))
    ]
    graph = replace(graph, tensors=tuple(tensors), operators=tuple(operators))
    return replace(model, subgraphs=(graph,), buffers=tuple(buffers))


def _is_image(info: TensorInfo) -> bool:
    return len(info.shape) == 4 and info.shape[1] > 1 and info.shape[2] > 1


def _scaled_node(
    model: Model, place: int, shapes: list[Shape], constants: dict[int, tuple[int, ...]]
) -> Operator:
    """The node with options that fit; its outputs' shapes and its constants are noted."""
    graph = model.subgraphs[0]
    operator = graph.operators[place]
    inputs = [index for index in operator.inputs if index >= 0]
    node = NodeShapes(
        model.code(operator).name,
        place,
        operator.options,
        [graph.tensors[index].shape for index in inputs],
        [shapes[index] for index in inputs],
        [graph.tensors[index].shape for index in operator.outputs],
        {
            position: values
            for position, index in enumerate(operator.inputs)
            if index >= 0 and (values := _integers(model, graph, index)) is not None
        },
    )
    if any(graph.tensors[index].is_variable for index in inputs) and node.old != node.inputs:
        node.fail("keeps a state of its own size")
    for index, shape in zip(operator.outputs, new_outputs(node), strict=True):
        shapes[index] = shape
    for position, values in node.changed.items():
        index = operator.inputs[position]
        if constants.setdefault(index, values) != values:
            node.fail("shares a constant with a node that needs another one")
    return replace(operator, options=node.options)


def _integers(model: Model, graph: SubGraph, index: int) -> tuple[int, ...] | None:
    """The values of a small int32 constant: sizes, axes, paddings."""
    info = graph.tensors[index]
    data = model.buffers[info.buffer].data if info.buffer < len(model.buffers) else b""
    is_small = info.type is TensorType.INT32 and 0 < info.elements <= _MOST_CONSTANTS
    if not is_small or len(data) < 4 * info.elements:
        return None
    return tuple(np.frombuffer(data, "<i4", info.elements).tolist())


def _changed(
    info: TensorInfo, shape: Shape, values: Sequence[int] | None, buffers: list[Buffer]
) -> TensorInfo:
    if values is not None:
        buffers.append(Buffer(np.array(values, "<i4").tobytes()))
        return replace(info, buffer=len(buffers) - 1)
    return info if shape == info.shape else replace(info, shape=shape, shape_signature=())
