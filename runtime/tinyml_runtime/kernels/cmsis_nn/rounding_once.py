"""CMSIS-NN built with CMSIS_NN_USE_SINGLE_ROUNDING: its own kernels round once, no others.

The switch is in `arm_nn_requantize`, and in its vector form for MVE, which gives the same. What
TFLM's wrappers leave to the reference rounds twice as before: ADD and MUL that broadcast. SOFTMAX
of int8 multiplies without that function. 64-bit accumulators of int16 are rounded once anyhow.

Source    CMSIS-NN `Include/arm_nnsupportfunctions.h`; tflite-micro `micro/kernels/cmsis_nn/*.cc`
"""

from __future__ import annotations

from dataclasses import replace

from tinyml_runtime.arena_uses.reference import REFERENCE_USES
from tinyml_runtime.kernels import REFERENCE
from tinyml_runtime.kernels.rounding_once import Applies, KernelsRoundingOnce, always
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.registration import EvalContext, Node, PrepareContext
from tinyml_runtime.types import TensorType
from tinyml_runtime.workloads.reference import REFERENCE_WORKLOADS


def _of_one_shape(context: PrepareContext | EvalContext, node: Node) -> bool:
    return context.input(node, 0).shape == context.input(node, 1).shape


def _of_int16(context: PrepareContext | EvalContext, node: Node) -> bool:
    return context.input(node, 0).type is TensorType.INT16


_APPLIES: dict[str, Applies] = {
    "ADD": _of_one_shape,
    "BATCH_MATMUL": always,
    "CONV_2D": always,
    "DEPTHWISE_CONV_2D": always,
    "FULLY_CONNECTED": always,
    "MUL": _of_one_shape,
    "SOFTMAX": _of_int16,
    "SVDF": always,
    "TRANSPOSE_CONV": always,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": always,
}


def build(library: KernelLibrary) -> KernelLibrary:
    """CMSIS-NN with the switch; what its kernels ask of arena and time stays as it is."""
    kernels = {name: REFERENCE.kernels[name] for name in _APPLIES} | dict(library.kernels)
    uses = {name: REFERENCE_USES[name] for name in _APPLIES if name in REFERENCE_USES}
    workloads = {
        name: REFERENCE_WORKLOADS[name] for name in _APPLIES if name in REFERENCE_WORKLOADS
    }
    return replace(
        library,
        kernels=KernelsRoundingOnce(kernels, _APPLIES),
        arena_uses=uses | dict(library.arena_uses),
        workloads=workloads | dict(library.workloads),
    )
