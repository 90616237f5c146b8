"""How often a quantized value stands for a negative one: code may go another way for these.

Taken are values that are all as frequent, so that it is the zero point that decides.
"""

from __future__ import annotations

from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import TensorType

_LOWEST, _VALUES = -128, 256


def negative_share(tensor: Tensor) -> float:
    """The share of values of int8 below the zero point; a half of other types."""
    if tensor.type is not TensorType.INT8:
        return 0.5
    return min(1.0, max(0.0, (tensor.zero_point - _LOWEST) / _VALUES))
