"""THE TABLE of the reference library: the loops of each operator's kernel.

Entries are "module:NAME", imported when a model needs them.
"""

from __future__ import annotations

from tinyml_runtime.workload import CountLoops

_FAMILIES = {
    "conv": ("CONV_2D",),
    "depthwise_conv": ("DEPTHWISE_CONV_2D",),
    "fully_connected": ("FULLY_CONNECTED",),
}

REFERENCE_WORKLOADS: dict[str, CountLoops | str] = {
    name: f"{__name__}.{family}:{name}" for family, names in _FAMILIES.items() for name in names
}
