"""Models of one operator, and three interpreters to run them: ours, TFLM's and LiteRT's."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.model.load import load_model
from tinyml_runtime.model.options import Options
from tinyml_runtime.model.schema import (
    Buffer,
    Model,
    Operator,
    OperatorCode,
    Quantization,
    SubGraph,
    TensorInfo,
)
from tinyml_runtime.model.write import write_model
from tinyml_runtime.tensor import Array, dtype_of
from tinyml_runtime.types import BuiltinOperator, TensorType

_TYPES = {
    np.dtype(np.float16): TensorType.FLOAT16,
    np.dtype(np.float32): TensorType.FLOAT32,
    np.dtype(np.float64): TensorType.FLOAT64,
    np.dtype(np.int8): TensorType.INT8,
    np.dtype(np.uint8): TensorType.UINT8,
    np.dtype(np.int16): TensorType.INT16,
    np.dtype(np.uint16): TensorType.UINT16,
    np.dtype(np.int32): TensorType.INT32,
    np.dtype(np.uint32): TensorType.UINT32,
    np.dtype(np.int64): TensorType.INT64,
    np.dtype(np.uint64): TensorType.UINT64,
    np.dtype(np.bool_): TensorType.BOOL,
}

needs_tflm = pytest.mark.skipif(
    importlib.util.find_spec("tflite_micro") is None,
    reason="tflite-micro (extra tflm) is not installed",
)
needs_litert = pytest.mark.skipif(
    importlib.util.find_spec("ai_edge_litert") is None,
    reason="ai-edge-litert (extra tflite) is not installed",
)


@dataclass(frozen=True)
class Operand:
    """A tensor of a single-operator model: a constant, an input to be fed, or an output."""

    shape: tuple[int, ...]
    type: TensorType
    values: Array | None = None
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    dimension: int = 0
    is_variable: bool = False


def fed(
    shape: Sequence[int], dtype: Any, scale: float | None = None, zero_point: int = 0
) -> Operand:
    """An input or output of the model, quantized where a scale is given."""
    scales = () if scale is None else (float(np.float32(scale)),)
    points = () if scale is None else (zero_point,)
    return Operand(tuple(shape), _TYPES[np.dtype(dtype)], None, scales, points)


def constant(
    values: Array,
    scales: Sequence[float] | float | None = None,
    zero_points: Sequence[int] | int = 0,
    dimension: int = 0,
    kind: TensorType | None = None,
) -> Operand:
    """A tensor whose values are in the file; `kind` INT4 packs int8 values by twos."""
    sequence = () if scales is None else np.atleast_1d(np.asarray(scales, float)).tolist()
    points = np.broadcast_to(np.asarray(zero_points), (len(sequence),)).tolist()
    return Operand(
        values.shape,
        kind or _TYPES[values.dtype],
        values,
        tuple(float(np.float32(scale)) for scale in sequence),
        tuple(points),
        dimension,
    )


def variable(shape: Sequence[int], dtype: Any, scale: float, zero_point: int = 0) -> Operand:
    """A variable tensor: it keeps its values between invocations."""
    operand = fed(shape, dtype, scale, zero_point)
    return Operand(operand.shape, operand.type, None, operand.scales, operand.zero_points, 0, True)


@dataclass(frozen=True)
class SingleOp:
    """One operator with its operands (None: an optional input that is absent)."""

    operator: BuiltinOperator | str
    inputs: Sequence[Operand | None]
    outputs: Sequence[Operand]
    options: Options | None = None
    custom_options: bytes = b""
    version: int = 1
    intermediates: Sequence[Operand] = field(default=())

    def model(self) -> Model:
        """The operator as a model; its inputs are the operands neither constant nor state."""
        operands = [
            *(operand for operand in self.inputs if operand is not None),
            *self.outputs,
            *self.intermediates,
        ]
        buffers = [Buffer()]
        tensors: list[TensorInfo] = []
        for index, operand in enumerate(operands):
            tensors.append(_tensor(f"t{index}", operand, buffers))
        given = iter(range(len(operands)))
        inputs = tuple(-1 if operand is None else next(given) for operand in self.inputs)
        count = len([index for index in inputs if index >= 0])
        outputs = tuple(range(count, count + len(self.outputs)))
        middles = tuple(range(count + len(self.outputs), len(operands)))
        builtin = self.operator if isinstance(self.operator, BuiltinOperator) else None
        number = BuiltinOperator.CUSTOM if builtin is None else builtin
        code = OperatorCode(
            builtin_code=int(number),
            deprecated_builtin_code=min(int(number), 127),
            custom_code=self.operator if isinstance(self.operator, str) else "",
            version=self.version,
        )
        fed_indices = tuple(
            index
            for index in inputs
            if index >= 0 and operands[index].values is None and not operands[index].is_variable
        )
        operator = Operator(
            0, inputs, outputs, self.options, self.custom_options, intermediates=middles
        )
        graph = SubGraph("main", tuple(tensors), fed_indices, outputs, (operator,))
        return Model(operator_codes=(code,), subgraphs=(graph,), buffers=tuple(buffers))


def random_feeds(case: SingleOp, seed: int = 0) -> list[Array]:
    """Values over the whole range of each input's type; floats standard normal."""
    generator = np.random.default_rng(seed)
    return [
        random_values(operand, generator)
        for operand in case.inputs
        if operand is not None and operand.values is None and not operand.is_variable
    ]


def random_values(operand: Operand, generator: np.random.Generator) -> Array:
    """Values over the whole range of the operand's type; floats standard normal."""
    dtype = dtype_of(operand.type)
    if dtype.kind == "f":
        return generator.standard_normal(operand.shape).astype(dtype)
    if dtype.kind == "b":
        return generator.integers(0, 2, operand.shape).astype(bool)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, operand.shape, dtype, endpoint=True)


def run_ours(model: Model | bytes, feeds: Sequence[Array], times: int = 1) -> list[Array]:
    """Outputs of our interpreter after `times` invocations on the same feeds."""
    interpreter = Interpreter(load_model(model) if isinstance(model, bytes) else model)
    interpreter.allocate_tensors()
    for _ in range(times):
        for index, array in enumerate(feeds):
            interpreter.set_input(array, index)
        interpreter.invoke()
    return [interpreter.output(index) for index in range(len(interpreter.outputs))]


def run_stacked(model: Model, feeds: Sequence[Array], samples: int = 3) -> list[Array]:
    """Outputs for `samples` samples, the first of them `feeds`, the others rolled feeds."""
    interpreter = Interpreter(model)
    interpreter.allocate_tensors()
    stacked = [
        np.stack([np.roll(array, sample).reshape(array.shape) for sample in range(samples)])
        for array in feeds
    ]
    return interpreter.invoke_batch(stacked)


def run_tflm(model: Model | bytes, feeds: Sequence[Array], times: int = 1) -> list[Array]:
    """Outputs of the `tflite-micro` wheel; raises RuntimeError where it refuses the model."""
    runtime: Any = import_module("tflite_micro.python.tflite_micro.runtime")
    data = model if isinstance(model, bytes) else write_model(model)
    interpreter = runtime.Interpreter.from_bytes(data, arena_size=1 << 22)
    for _ in range(times):
        for index, array in enumerate(feeds):
            interpreter.set_input(array, index)
        interpreter.invoke()
    count = len((load_model(model) if isinstance(model, bytes) else model).subgraphs[0].outputs)
    return [np.array(interpreter.get_output(index)) for index in range(count)]


def run_litert(model: Model | bytes, feeds: Sequence[Array], times: int = 1) -> list[Array]:
    """Outputs of LiteRT with its reference kernels."""
    litert: Any = import_module("ai_edge_litert.interpreter")
    data = model if isinstance(model, bytes) else write_model(model)
    interpreter = litert.Interpreter(
        model_content=data, experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    for _ in range(times):
        for details, array in zip(interpreter.get_input_details(), feeds, strict=True):
            interpreter.set_tensor(details["index"], array)
        interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def assert_same(ours: Sequence[Array], theirs: Sequence[Array], atol: float = 1e-6) -> None:
    """Integers equal; floats within 2e-6 relative or 1e-6 absolute, the promise of the kernels.

    A larger `atol` is for long float sums, whose order of summation matters more.
    """
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.dtype == other.dtype
        assert mine.shape == other.shape
        if mine.dtype.kind == "f":
            np.testing.assert_allclose(mine, other, rtol=2e-6, atol=atol)
        else:
            np.testing.assert_array_equal(mine, other)


def assert_like_tflm(case: SingleOp, seed: int = 0, times: int = 1, *, atol: float = 1e-6) -> None:
    """Our outputs are TFLM's; and a batch of samples gives what they give one by one."""
    model = case.model()
    feeds = random_feeds(case, seed)
    assert_same(run_ours(model, feeds, times), run_tflm(model, feeds, times), atol)
    if feeds and times == 1:
        assert_same([array[0] for array in run_stacked(model, feeds)], run_ours(model, feeds), atol)


def _tensor(name: str, operand: Operand, buffers: list[Buffer]) -> TensorInfo:
    buffer = 0
    if operand.values is not None:
        buffer = len(buffers)
        buffers.append(Buffer(_bytes_of(operand)))
    quantization = (
        Quantization(operand.scales, operand.zero_points, operand.dimension)
        if operand.scales
        else None
    )
    return TensorInfo(
        name=name,
        type=operand.type,
        shape=operand.shape,
        has_rank=True,
        buffer=buffer,
        quantization=quantization,
        is_variable=operand.is_variable,
    )


def _bytes_of(operand: Operand) -> bytes:
    assert operand.values is not None
    if operand.type is not TensorType.INT4:
        return np.ascontiguousarray(operand.values).tobytes()
    flat = operand.values.reshape(-1).astype(np.uint8) & 0xF
    if flat.size % 2:
        flat = np.append(flat, np.uint8(0))
    return (flat[0::2] | (flat[1::2] << 4)).astype(np.uint8).tobytes()
