"""FULLY_CONNECTED: a vector times rows of weights; an output of many dimensions as a convolution.

Floats take the reference's kernel.

Source    tflite-micro `micro/kernels/cmsis_nn/fully_connected.cc`; muriscv-nn
          `Source/FullyConnectedFunctions/muriscv_nn_fully_connected_s8.c`,
          `muriscv_nn_fully_connected_per_channel_s8.c`, `muriscv_nn_fully_connected_s16.c`,
          `Source/NNSupportFunctions/muriscv_nn_vec_mat_mult_t_s8.c`,
          `muriscv_nn_vec_mat_mult_t_per_ch_s8.c`, `muriscv_nn_vec_mat_mult_t_s16.c`
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.counting import once, reference
from tinyml_runtime.workloads.generic import count_made
from tinyml_runtime.workloads.muriscv_nn.products import nt_t_s8, vectors

INPUT, WEIGHTS = 0, 1
OUTPUT = 0
# Rows of weights that are multiplied together.
_AT_ONCE = {"s8": 5, "per_ch_s8": 3, "s16": 1}
# Outputs of more dimensions are made by the kernel of convolutions, if rows are whole words.
_FLAT = 2
_WORD = 4


def count_fully_connected(context: WorkContext, node: Node) -> Workload:
    """The loops of FULLY_CONNECTED."""
    source, weights = operand(context.input(node, INPUT)), operand(context.input(node, WEIGHTS))
    output = operand(context.output(node, OUTPUT))
    if source.type is TensorType.FLOAT32:
        return reference("FULLY_CONNECTED")(context, node)
    if weights.type is TensorType.INT4:
        return count_made(context, node)  # nobody has counted that kernel
    depth, units = weights.shape[-1], output.shape[-1]
    batches = output.size // max(1, units)
    kernel = "s16"
    if source.type is TensorType.INT8:
        kernel = "per_ch_s8" if len(weights.quantization.scales) > 1 else "s8"
        if len(output.shape) > _FLAT and depth % _WORD == 0:
            call = once("muriscv_fully_connected_1x1_s8.call")
            return (call, *nt_t_s8(batches, units, depth))
    at_once = _AT_ONCE[kernel]
    if kernel == "per_ch_s8" and any(weights.quantization.zero_points):
        kernel += "_offset"
    return (
        once(f"muriscv_fully_connected_{kernel}.call"),
        *vectors(f"muriscv_vec_mat_mult_t_{kernel}", batches, units, depth, at_once),
    )


FULLY_CONNECTED = count_fully_connected
