"""THE TABLE of the reference library: what each operator's kernel asks of the arena.

Most kernels allocate one structure in Init and look at some tensors in Prepare: those stand here.
The others are named, as "module:NAME", and imported when a model needs them.

Source: tflite-micro `micro/kernels/*.cc`, the Init and Prepare of each
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaUse

_POOLING = ArenaUse("OpDataPooling", "i0 o0")

_SIMPLE = {
    "ADD": ArenaUse("OpDataAdd", "i0 i1 o0"),
    "AVERAGE_POOL_2D": _POOLING,
    "MAX_POOL_2D": _POOLING,
}

_FAMILIES = {
    "conv": ("CONV_2D", "DEPTHWISE_CONV_2D"),
    "fully_connected": ("FULLY_CONNECTED",),
    "shapes": ("RESHAPE",),
    "softmax": ("SOFTMAX",),
}

REFERENCE_USES: dict[str, ArenaUse | str] = {
    **_SIMPLE,
    **{
        name: f"{__name__}.{family}:{name}" for family, names in _FAMILIES.items() for name in names
    },
}
