"""THE TABLE of ESP-NN: what its kernels ask of the arena, where that is not the reference's.

ADD, AVERAGE_POOL_2D, FULLY_CONNECTED, MAX_POOL_2D and MUL have kernels of their own too, which
allocate as the reference's do.

Buffers depend on the chip, as `RuntimeProfile.extensions` says: "esp32s3" or "esp32p4"; without
them they are those of ESP-NN's optimized C, as on ESP32, C3 and others. Those of S3 and P4 are
from the sources; ESP-NN compiled for another core gives the same.

Source: esp-tflite-micro `micro/kernels/esp_nn/*.cc`, ESP-NN `src/convolution/`, `src/softmax/`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaUse

_FAMILIES = {
    "conv": ("CONV_2D", "DEPTHWISE_CONV_2D"),
    "softmax": ("SOFTMAX",),
}

ESP_NN_USES: dict[str, ArenaUse | str] = {
    name: f"{__name__}.{family}:{name}" for family, names in _FAMILIES.items() for name in names
}
