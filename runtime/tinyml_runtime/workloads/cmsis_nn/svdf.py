"""SVDF: the state moves by one step, features of the input enter it, and time is weighed.

Floats take the reference's kernel.

Source    tflite-micro `micro/kernels/cmsis_nn/svdf.cc`; CMSIS-NN
          `Source/SVDFunctions/arm_svdf_state_s16_s8.c`, `arm_svdf_s8.c`,
          `Source/NNSupportFunctions/arm_nn_vec_mat_mult_t_svdf_s8.c`
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_runtime.model.options import SVDFOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.copying import vector_trips
from tinyml_runtime.workloads.cmsis_nn.counting import MVE, in_blocks, once, reference, turns

INPUT, FEATURES, TIME, STATE = 0, 1, 2, 4


def count_svdf(context: WorkContext, node: Node) -> Workload:
    """The loops of SVDF, with a state of int16 or int8."""
    source, features = operand(context.input(node, INPUT)), operand(context.input(node, FEATURES))
    time = operand(context.input(node, TIME))
    if source.type is not TensorType.INT8:
        return reference("SVDF")(context, node)
    is_mve = MVE in context.extensions
    is_wide = time.type is TensorType.INT16
    kernel = "svdf_s16" if is_wide else "svdf_s8"
    batch, filters, steps = source.shape[0], features.shape[0], time.shape[1]
    units = filters // max(1, node.options_as(SVDFOptions).rank)
    state_bytes = (batch * filters * steps - 1) * (2 if is_wide else 1)
    moved = vector_trips(state_bytes) if is_mve else state_bytes
    products = _features_s16 if is_wide else _features_s8
    rows = batch * filters
    state = operand(context.input(node, STATE))
    is_scaled_down = source.scale * features.scale < state.scale
    return (
        once(f"{kernel}.call"),
        turns(f"{kernel}.move", moved),
        *products(batch, filters, features.shape[1], is_mve),
        turns(f"{kernel}.rounding", rows if is_scaled_down else 0),
        turns(f"{kernel}.filter", rows),
        *in_blocks(f"{kernel}.step", rows, steps, _step_blocks(is_mve, is_wide)),
        turns(f"{kernel}.sum", rows),
        turns(f"{kernel}.unit", batch * units),
        turns(f"{kernel}.output", vector_trips(batch * units, 4) if is_mve else batch * units),
    )


def _step_blocks(is_mve: bool, is_wide: bool) -> tuple[int, ...]:
    if is_mve:
        return (1,)
    return (2, 1) if is_wide else (4, 1)


def _features_s16(batch: int, filters: int, depth: int, is_mve: bool) -> Iterator[LoopWork]:
    kernel = "vec_mat_mult_t_svdf_s8"
    yield turns(f"{kernel}.batch", batch)
    at_once = 3 if is_mve else 2
    for piece, runs in (
        ("rows", batch * (filters // at_once)),
        ("row", batch * (filters % at_once)),
    ):
        yield turns(f"{kernel}.{piece}", runs)
        if is_mve:
            yield turns(f"{kernel}.{piece}_16", runs * vector_trips(depth))
        else:
            blocks = (16, 4, 1) if piece == "rows" else (4, 1)
            yield from in_blocks(f"{kernel}.{piece}", runs, depth, blocks)


def _features_s8(batch: int, filters: int, depth: int, is_mve: bool) -> Iterator[LoopWork]:
    """The product of FULLY_CONNECTED."""
    kernel = "vec_mat_mult_t_s8"
    at_once = 4 if is_mve else 2
    for piece, runs in (
        ("rows", batch * (filters // at_once)),
        ("row", batch * (filters % at_once)),
    ):
        yield turns(f"{kernel}.{piece}", runs)
        if is_mve:
            yield turns(f"{kernel}.{piece}_16", runs * vector_trips(depth))
        else:
            yield from in_blocks(f"{kernel}.{piece}", runs, depth, (4, 1))


SVDF = count_svdf
