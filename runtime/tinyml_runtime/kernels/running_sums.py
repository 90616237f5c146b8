"""Sums of int8 values that are made one value after another, as ADD_N and CUMSUM rescale them.

Values are shifted left by 20 bits and halved before they are added, in 32 bits that wrap after 16
of the largest values. A sum starts from the value that is stored as 0, which is real zero only
where the zero point is 0.

Source    tflite-micro `micro/kernels/add_n.cc`, `cumsum.cc`,
          `lite/kernels/internal/reference/add_n.h`, `cumsum.h`
"""

from __future__ import annotations

from tinyml_runtime.fixed_point import quantize_multiplier_below_one
from tinyml_runtime.registration import check
from tinyml_runtime.requantize import OutputRange, Requantizer
from tinyml_runtime.tensor import Array, Tensor

_SHIFT = 20
_UNIT = 2.0 ** (_SHIFT - 1)
_LOW, _HIGH = -128, 127


class RunningSumRescaler:
    """From sums of int8 values, less the zero point for each of them, to int8 outputs."""

    def __init__(self, source: Tensor, output: Tensor, summands: int) -> None:
        """Settle the rescaling for sums of up to `summands` values of `source`.

        Raises:
            NodeError: the scales are none that TFLM could use.
        """
        check(source.scale > 0.0 < output.scale, "a scale is not positive")
        for tensor in (source, output):
            check(_LOW <= tensor.zero_point <= _HIGH, f"zero point {tensor.zero_point} is no int8")
        factor = quantize_multiplier_below_one(2.0 * source.scale / (2.0**_SHIFT * output.scale))
        self._start = float(-source.zero_point)
        bound = (summands + 1) * (abs(source.zero_point) - _LOW)
        self._rescale = Requantizer(
            [factor],
            OutputRange(output.zero_point, _LOW, _HIGH),
            channels=1,
            rows=output.size,
            bounds=int(bound * _UNIT),
        )

    def __call__(self, sums: Array, out: Array) -> None:
        """Write the outputs for `sums`, integers in contiguous float64, which it overwrites."""
        sums += self._start
        sums *= _UNIT
        self._rescale(sums, out)
