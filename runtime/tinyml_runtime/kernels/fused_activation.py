"""The clamp that a fused activation puts on an operator's output.

Source: tflite-micro `lite/kernels/kernel_util.{h,cc}`, CalculateActivationRange and
CalculateActivationRangeQuantized. TANH and SIGN_BIT are no clamps; TFLM ignores them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinyml_runtime.errors import NodeError
from tinyml_runtime.fixed_point import INT32_MAX, float32_ratio
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import Activation

_REAL_RANGES: dict[Activation, tuple[float | None, float | None]] = {
    Activation.RELU: (0.0, None),
    Activation.RELU6: (0.0, 6.0),
    Activation.RELU_N1_TO_1: (-1.0, 1.0),
}


def float_range(activation: Activation) -> tuple[float, float] | None:
    """Smallest and largest output; None where there is no clamp.

    TFLM clamps to the largest finite float where the range is open above, so infinities do not
    survive a RELU; without an activation they do not survive either, which matters to no model.
    """
    low, high = _REAL_RANGES.get(activation, (None, None))
    if low is None:
        return None
    return low, float(np.finfo(np.float32).max) if high is None else high


def bind_bias_and_clamp(
    sums: Array, bias: Array | None, clamp: tuple[float, float] | None
) -> Callable[[], None]:
    """What adds a bias to rows of float32 sums and clamps them, in place."""
    # Of as many dimensions: NumPy adds arrays of one shape at half the cost of others.
    row = None if bias is None else bias.reshape((1,) * (sums.ndim - 1) + (-1,))
    low, high = (None, None) if clamp is None else (np.array(end, np.float32) for end in clamp)

    def run() -> None:
        if row is not None:
            np.add(sums, row, sums)
        if low is not None:
            sums.clip(low, high, sums)

    return run


def quantized_range(activation: Activation, output: Tensor) -> tuple[int, int]:
    """Smallest and largest stored value of an integer `output`; NodeError if its scale is bad."""
    limits = np.iinfo(output.dtype)
    low, high = _REAL_RANGES.get(activation, (None, None))
    minimum = limits.min if low is None else max(limits.min, _quantize(low, output))
    maximum = limits.max if high is None else min(limits.max, _quantize(high, output))
    return int(minimum), int(maximum)


def _quantize(real: float, tensor: Tensor) -> int:
    """`real` as a stored value, rounded half away from zero in float32 as TFLM does."""
    if not tensor.scale > 0.0:  # a NaN is no scale either
        raise NodeError(f"tensor '{tensor.name}' has no positive scale to clamp with")
    steps = float32_ratio(real, tensor.scale)
    if abs(steps) > INT32_MAX:
        raise NodeError(f"the clamp at {real} is out of the range of tensor '{tensor.name}'")
    rounded = math.copysign(math.floor(abs(steps) + 0.5), steps)
    return tensor.zero_point + int(rounded)
