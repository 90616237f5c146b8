"""THE TABLE of ESP-NN in generic C: the loops of each operator whose kernel is not the reference's.

Entries are "module:NAME", imported when a model needs them.
"""

from __future__ import annotations

from tinyml_runtime.workload import CountLoops

_FAMILIES = {
    "conv": ("CONV_2D",),
    "depthwise_conv": ("DEPTHWISE_CONV_2D",),
    "elementwise": ("ADD", "MUL"),
    "fully_connected": ("FULLY_CONNECTED",),
    "pooling": ("AVERAGE_POOL_2D", "MAX_POOL_2D"),
    "softmax": ("SOFTMAX",),
}

ESP_NN_WORKLOADS: dict[str, CountLoops | str] = {
    name: f"{__name__}.{family}:{name}" for family, names in _FAMILIES.items() for name in names
}
