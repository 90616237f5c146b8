"""SVDF: the state moves by an element, then products over features, and over time.

Source    tflite-micro `micro/kernels/cmsis_nn/svdf.cc`; muriscv-nn
          `Source/SVDFunctions/muriscv_nn_svdf_s8.c`, `muriscv_nn_svdf_state_s16_s8.c`,
          `Source/NNSupportFunctions/muriscv_nn_vec_mat_mult_t_svdf_s8.c`
"""

from __future__ import annotations

from tinyml_runtime.model.options import SVDFOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.counting import once, reference, turns
from tinyml_runtime.workloads.muriscv_nn.products import runs, vectors

INPUT, FEATURES, TIME = 0, 1, 2
# Rows of weights that are multiplied together.
_AT_ONCE_S16, _AT_ONCE_S8 = 3, 5


def count_svdf(context: WorkContext, node: Node) -> Workload:
    """The loops of SVDF, with a state of int16 or int8."""
    source, features = operand(context.input(node, INPUT)), operand(context.input(node, FEATURES))
    time = operand(context.input(node, TIME))
    if source.type is not TensorType.INT8:
        return reference("SVDF")(context, node)
    batch, (filters, depth), steps = source.shape[0], features.shape, time.shape[1]
    units = filters // max(1, node.options_as(SVDFOptions).rank)
    rows = batch * filters
    if time.type is TensorType.INT16:
        kernel, element_bytes = "muriscv_svdf_s16", 2
        products = vectors("muriscv_vec_mat_mult_t_svdf_s8", batch, filters, depth, _AT_ONCE_S16)
    else:
        kernel, element_bytes = "muriscv_svdf_s8", 1
        products = vectors("muriscv_vec_mat_mult_t_s8", batch, filters, depth, _AT_ONCE_S8)
    return (
        once(f"{kernel}.call"),
        turns(f"{kernel}.move", (rows * steps - 1) * element_bytes),
        *products,
        runs(f"{kernel}.step", rows, steps),
        turns(f"{kernel}.sum", rows),
        turns(f"{kernel}.unit", batch * units),
    )


SVDF = count_svdf
