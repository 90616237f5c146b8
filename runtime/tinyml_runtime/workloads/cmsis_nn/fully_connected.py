"""FULLY_CONNECTED: a vector times rows of weights; an output of many dimensions as a convolution.

Floats take the reference's kernel.

Source    tflite-micro `micro/kernels/cmsis_nn/fully_connected.cc`; CMSIS-NN
          `Source/NNSupportFunctions/arm_nn_vec_mat_mult_t_s8.c`,
          `arm_nn_vec_mat_mult_t_per_ch_s8.c`, `arm_nn_vec_mat_mult_t_s16.c`,
          `arm_nn_vec_mat_mult_t_s4.c`
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.copying import vector_trips
from tinyml_runtime.workloads.cmsis_nn.counting import MVE, in_blocks, once, reference, turns
from tinyml_runtime.workloads.cmsis_nn.mat_mult import nt_t_s8, nt_t_s8_mve

INPUT, WEIGHTS, BIAS = 0, 1, 2
OUTPUT = 0
_LANES = {"s16": 8, "s4": 32}
# Outputs of more dimensions are made by the kernel of convolutions, if rows are whole words.
_FLAT = 2
_WORD = 4


def count_fully_connected(context: WorkContext, node: Node) -> Workload:
    """The loops of FULLY_CONNECTED."""
    source, weights = operand(context.input(node, INPUT)), operand(context.input(node, WEIGHTS))
    output = operand(context.output(node, OUTPUT))
    if source.type is TensorType.FLOAT32:
        return reference("FULLY_CONNECTED")(context, node)
    depth, units = weights.shape[-1], output.shape[-1]
    batches = output.size // max(1, units)
    is_mve = MVE in context.extensions
    if source.type is TensorType.INT16:
        return (*_vectors("s16", batches, units, depth, is_mve),)
    if weights.type is TensorType.INT4:
        return (*_vectors("s4", batches, units, depth, is_mve),)
    if len(output.shape) > _FLAT and depth % _WORD == 0:
        return (*_as_convolution(weights, batches, units, depth, is_mve),)
    kernel = "per_ch_s8" if _is_per_channel(weights) else "s8"
    if any(weights.quantization.zero_points):
        kernel += "_offset"
    loops = (*_vectors(kernel, batches, units, depth, is_mve),)
    if is_mve and not weights.is_constant:
        return (*loops, *_sums(units, depth))
    return loops


def _vectors(kernel: str, batches: int, units: int, depth: int, is_mve: bool) -> Iterator[LoopWork]:
    yield once(f"fully_connected_{kernel}.call")
    yield turns(f"fully_connected_{kernel}.batch", batches)
    name = f"vec_mat_mult_t_{kernel}"
    at_once = 4 if is_mve or kernel == "s4" else 2
    rows, rest = batches * (units // at_once), batches * (units % at_once)
    lanes = _LANES.get(kernel, 16)
    for piece, count in (("rows", rows), ("row", rest)):
        if not count:
            continue
        yield LoopWork(f"{name}.{piece}", batches, count)
        if is_mve:
            yield turns(f"{name}.{piece}_{lanes}", count * vector_trips(depth, lanes))
        else:
            yield from in_blocks(f"{name}.{piece}", count, depth, (4, 1))


def _as_convolution(
    weights: Tensor, batches: int, units: int, depth: int, is_mve: bool
) -> Iterator[LoopWork]:
    is_filled = not _is_per_channel(weights)
    yield LoopWork("fully_connected_1x1_s8.call", 1, units if is_filled else 0)
    yield from (nt_t_s8_mve if is_mve else nt_t_s8)(batches, units, depth)


def _sums(units: int, depth: int) -> Iterator[LoopWork]:
    """Weights that are no constants are summed by every invocation."""
    yield turns("vector_sum_s8.row", units)
    yield turns("vector_sum_s8.row_16", units * vector_trips(depth))


def _is_per_channel(weights: Tensor) -> bool:
    return len(weights.quantization.scales) > 1


FULLY_CONNECTED = count_fully_connected
