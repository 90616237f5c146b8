"""What CMSIS-NN asks of int16: zero points of 0."""

from __future__ import annotations

from tinyml_runtime.registration import check
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import TensorType


def check_symmetric(**tensors: Tensor) -> None:
    """Raise NodeError for an int16 tensor with a zero point, named as in TFLM's sources."""
    for name, tensor in tensors.items():
        point = tensor.zero_point
        check(
            tensor.type is not TensorType.INT16 or point == 0,
            f"{name}->params.zero_point != 0 ({point} != 0)",
            "int16 must be quantized symmetrically for CMSIS-NN",
        )
