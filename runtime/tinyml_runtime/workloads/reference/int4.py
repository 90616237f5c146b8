"""Weights of four bits, which kernels unpack before they run.

Source    tflite-micro `lite/kernels/internal/portable_tensor_utils.cc`
"""

from __future__ import annotations

from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, Workload


def unpack_loops(weights: Tensor) -> Workload:
    """The loop over bytes of two weights each; none for weights of other types."""
    if weights.type is not TensorType.INT4:
        return ()
    return (LoopWork("unpack_int4.byte", entries=1, trips=weights.size / 2),)
