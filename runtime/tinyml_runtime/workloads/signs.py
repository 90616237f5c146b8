"""How often a quantized value stands for a negative one: code may go another way for these.

Where values are not known, all are taken as equally frequent, so that it is the zero point that
decides.
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import WorkContext, operand

_LOWEST, _VALUES = -128, 256


def negative_share(context: WorkContext, node: Node, position: int) -> float:
    """The share of the input's values of int8 below the zero point; a half of other types."""
    tensor, values = operand(context.input(node, position)), context.values(node, position)
    if tensor.type is not TensorType.INT8:
        return 0.5
    if values is not None:
        return float((values < tensor.zero_point).mean()) if values.size else 0.0
    return min(1.0, max(0.0, (tensor.zero_point - _LOWEST) / _VALUES))
