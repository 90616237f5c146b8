"""The same graph in int8: what full integer quantization of the model would make of it.

Weights get their values in int8, per channel where converters do so. Scales of activations are not
known without samples: they are made up, and neither memory nor loops depend on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyml_profiles.rewriting.errors import RewriteError
from tinyml_runtime.model.check import COMPRESSION
from tinyml_runtime.model.schema import Buffer, Model, Operator, Quantization, SubGraph, TensorInfo
from tinyml_runtime.planning.written_plan import without_plan
from tinyml_runtime.tensor import Array, dtype_of
from tinyml_runtime.types import TensorType

_WIDE = (TensorType.FLOAT32, TensorType.INT16, TensorType.FLOAT16)
_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
# Where the bias stands, which becomes int32, and the two whose scales it counts in.
_BIASES = {
    "CONV_2D": (2, 0, 1),
    "DEPTHWISE_CONV_2D": (2, 0, 1),
    "FULLY_CONNECTED": (2, 0, 1),
    "SVDF": (3, 4, 2),
    "TRANSPOSE_CONV": (3, 2, 1),
}
_LSTM, _LSTM_BIASES, _LSTM_CELL = "UNIDIRECTIONAL_SEQUENCE_LSTM", range(12, 16), 19
_BETWEEN_GATES = (*(TensorType.FLOAT32,) * 4, TensorType.INT8)
# Weights with a scale for every index of a dimension.
_CHANNELS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "TRANSPOSE_CONV": 0}
_WEIGHTS = 1
_MOST_COPIES = 8
_ACTIVATION = Quantization((1 / 16,), (0,))
_CELL = Quantization((2**-11,), (0,))
# The only quantization that these kernels take for their output.
_FIXED = {
    "L2_NORMALIZATION": Quantization((1 / 128,), (0,)),
    "LOGISTIC": Quantization((1 / 256,), (-128,)),
    "LOG_SOFTMAX": Quantization((16 / 256,), (127,)),
    "SOFTMAX": Quantization((1 / 256,), (-128,)),
    "TANH": Quantization((1 / 128,), (0,)),
}


def wide_types(model: Model) -> list[str]:
    """The types of values of more than one byte that int8 could stand for, as words."""
    kinds = {
        graph.tensors[index].type
        for graph in model.subgraphs
        for operator in graph.operators
        for index in (*operator.inputs, *operator.outputs)
        if index >= 0 and model.code(operator).name not in _CONVERSIONS
    }
    return sorted(kind.name.lower() for kind in kinds.intersection(_WIDE))


def narrowed(model: Model) -> Model:
    """The model with int8 where it has float32, float16 or int16; biases are int32.

    Nodes that only convert between types are gone. Whether there are int8 kernels for the others,
    `plan_arena` says of the result.

    Raises:
        RewriteError: constants are compressed, or share so many bytes that copies have no bound.
    """
    _check_constants(model)
    model = without_plan(model)
    buffers = list(model.buffers)
    graphs = [_narrow_graph(model, graph, buffers) for graph in model.subgraphs]
    used = {info.buffer for graph in graphs for info in graph.tensors}
    used.update(entry.buffer for entry in model.metadata)
    kept = (one if place in used else Buffer() for place, one in enumerate(buffers))
    return replace(model, subgraphs=tuple(graphs), buffers=tuple(kept), signatures=())


def _check_constants(model: Model) -> None:
    if any(entry.name == COMPRESSION for entry in model.metadata):
        raise RewriteError("its constants are compressed")
    stored = sum(len(buffer.data) for buffer in model.buffers)
    sizes = [
        info.elements * dtype_of(info.type).itemsize
        for graph in model.subgraphs
        for info in graph.tensors
        if info.buffer < len(model.buffers) and len(model.buffers[info.buffer].data)
    ]
    if sum(sizes) > _MOST_COPIES * stored:
        raise RewriteError("its constants share too many bytes of the file to be made int8")


@dataclass(frozen=True, slots=True)
class _Role:
    """What a tensor is for, where that decides its form."""

    kind: TensorType = TensorType.INT8
    is_bias: bool = False
    channels: int | None = None
    fixed: Quantization | None = None


def _narrow_graph(model: Model, graph: SubGraph, buffers: list[Buffer]) -> SubGraph:
    same, kept = _without_conversions(model, graph)
    roles = _roles(model, kept)
    tensors = [
        _narrow_tensor(info, roles.get(index, _Role()), buffers)
        for index, info in enumerate(graph.tensors)
    ]
    for target, source in same.items():
        info = tensors[source]
        if info.quantization == _ACTIVATION:
            tensors[source] = replace(info, quantization=tensors[target].quantization)
    for operator in kept:
        _scale_bias(model, operator, tensors)
    return replace(
        graph,
        operators=tuple(_with_intermediates(model, operator, tensors) for operator in kept),
        tensors=tuple(tensors),
        outputs=_renamed(graph.outputs, same),
    )


def _without_conversions(model: Model, graph: SubGraph) -> tuple[Mapping[int, int], list[Operator]]:
    """The tensors that become the same as another one, and the nodes that still do something."""
    same: dict[int, int] = {}
    kept: list[Operator] = []
    for operator in graph.operators:
        is_conversion = model.code(operator).name in _CONVERSIONS
        if is_conversion and len(operator.inputs) == len(operator.outputs) == 1:
            (source,), (target,) = operator.inputs, operator.outputs
            if _narrow_type(graph.tensors[source]) is _narrow_type(graph.tensors[target]):
                same[target] = same.get(source, source)
                continue
        kept.append(replace(operator, inputs=_renamed(operator.inputs, same)))
    return same, kept


def _narrow_type(info: TensorInfo) -> TensorType:
    return TensorType.INT8 if info.type in _WIDE else info.type


def _roles(model: Model, operators: Sequence[Operator]) -> dict[int, _Role]:
    roles: dict[int, _Role] = {}
    for operator in operators:
        name, inputs = model.code(operator).name, operator.inputs
        place, *_ = _BIASES.get(name, (len(inputs),))
        if place < len(inputs):
            roles[inputs[place]] = _Role(is_bias=True)
        if name == _LSTM and len(inputs) > _LSTM_CELL:
            roles.update((inputs[place], _Role(is_bias=True)) for place in _LSTM_BIASES)
            roles[inputs[_LSTM_CELL]] = _Role(TensorType.INT16, fixed=_CELL)
        if name in _CHANNELS and len(inputs) > _WEIGHTS:
            roles[inputs[_WEIGHTS]] = _Role(channels=_CHANNELS[name])
        if name in _FIXED and operator.outputs:
            roles[operator.outputs[0]] = _Role(fixed=_FIXED[name])
    return roles


def _scale_bias(model: Model, operator: Operator, tensors: list[TensorInfo]) -> None:
    """A bias counts in products of two other operands."""
    inputs, places = operator.inputs, _BIASES.get(model.code(operator).name, ())
    if not places or max(places) >= len(inputs) or min(inputs[place] for place in places) < 0:
        return
    bias, first, second = (tensors[inputs[place]] for place in places)
    if bias.type is TensorType.INT32:
        scales = tuple(one * each for one in _scales_of(first)[:1] for each in _scales_of(second))
        quantization = Quantization(scales, (0,) * len(scales))
        tensors[inputs[places[0]]] = replace(bias, quantization=quantization)


def _with_intermediates(model: Model, operator: Operator, tensors: list[TensorInfo]) -> Operator:
    """An int8 LSTM names five tensors without elements, which tell scales between its gates."""
    if model.code(operator).name != _LSTM or operator.intermediates:
        return operator
    first = len(tensors)
    tensors += [TensorInfo(shape=(0,), type=kind) for kind in _BETWEEN_GATES]
    return replace(operator, intermediates=tuple(range(first, len(tensors))))


def _scales_of(info: TensorInfo) -> tuple[float, ...]:
    return () if info.quantization is None else info.quantization.scales


def _renamed(indices: Iterable[int], same: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(same.get(index, index) for index in indices)


def _narrow_tensor(info: TensorInfo, role: _Role, buffers: list[Buffer]) -> TensorInfo:
    is_wide_bias = role.is_bias and info.type is TensorType.INT64
    if info.type not in _WIDE and not is_wide_bias:
        return info
    values = _values(info, buffers)
    if values is None:
        return replace(info, type=role.kind, quantization=role.fixed or _ACTIVATION)
    if role.is_bias:
        return _with_data(info, TensorType.INT32, np.zeros(values.shape, np.int32), None, buffers)
    dimension = role.channels or 0
    scales = _scales(values, role.channels)
    shape = [1] * values.ndim
    if len(scales) > 1:
        shape[dimension] = len(scales)
    stored = np.clip(np.round(values / scales.reshape(shape)), -127, 127).astype(np.int8)
    zeros = (0,) * len(scales)
    quantization = Quantization(tuple(map(float, scales)), zeros, dimension)
    return _with_data(info, TensorType.INT8, stored, quantization, buffers)


def _values(info: TensorInfo, buffers: list[Buffer]) -> Array | None:
    """The constant's values; None for a tensor that is none."""
    data = buffers[info.buffer].data if info.buffer < len(buffers) else b""
    dtype = dtype_of(info.type)
    if len(data) < info.elements * dtype.itemsize or not len(data):
        return None
    flat = np.frombuffer(data, dtype, count=info.elements).astype(np.float32)
    return np.nan_to_num(flat).reshape(info.shape)


def _scales(values: Array, channels: int | None) -> Array:
    """One scale, or one for each index of the dimension `channels`."""
    magnitudes = np.abs(values)
    if channels is None or channels >= values.ndim:
        largest = magnitudes.max(initial=0.0, keepdims=True).reshape(-1)[:1]
    else:
        others = tuple(axis for axis in range(values.ndim) if axis != channels)
        largest = magnitudes.max(axis=others, initial=0.0)
    return np.maximum(largest, 1e-6) / 127


def _with_data(
    info: TensorInfo,
    kind: TensorType,
    values: Array,
    quantization: Quantization | None,
    buffers: list[Buffer],
) -> TensorInfo:
    """The tensor with other values, in a buffer of its own."""
    buffers.append(Buffer(values.tobytes()))
    return replace(info, type=kind, buffer=len(buffers) - 1, quantization=quantization)
