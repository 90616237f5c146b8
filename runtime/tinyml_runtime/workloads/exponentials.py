"""How many elements of int8 SOFTMAX takes exponentials of: those not too far below the maximum.

That depends on the values. Where these are not known, the scale tells how many of all differences
are not too far; most elements lie far below the maximum, and fewer of them are near.
"""

from __future__ import annotations

import numpy as np

from tinyml_runtime.registration import Node
from tinyml_runtime.workload import WorkContext, operand

_DIFFERENCES = 256
# Of a share of the differences, this power is the share of the elements.
_FEW = 1.5


def near_elements(context: WorkContext, node: Node, radius: float) -> float:
    """Elements of the first input within `radius` of their row's maximum, which is one of them."""
    source, values = operand(context.input(node, 0)), context.values(node, 0)
    depth = source.shape[-1] if source.shape else 1
    if values is not None and values.size:
        rows = values.reshape(-1, depth).astype(np.int64)
        return int(np.count_nonzero(rows.max(axis=1, keepdims=True) - rows <= int(radius)))
    rows = source.size / max(1, depth)
    share = min(1.0, (int(radius) + 1) / _DIFFERENCES)
    return rows + (source.size - rows) * share**_FEW
