"""The scales of an integer LSTM as fixed-point factors.

Source    tflite-micro `micro/kernels/lstm_eval_common.cc`, `fully_connected_common.cc`
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.fixed_point import FixedPoint, quantize_multiplier
from tinyml_runtime.registration import check
from tinyml_runtime.tensor import Tensor

INT16_LIMITS = -(2**15), 2**15 - 1

_GATE_INPUT_SCALE = 2.0**-12
_GATE_OUTPUT_SCALE = 2.0**-15


@dataclass(frozen=True, slots=True)
class IntegerScaling:
    """Zero points, factors and limits; one entry a gate where there are several.

    `state_factors` are of the state added and of the state kept, `state_tanh` the arguments of
    the table that takes the state's scale.
    """

    input_zero_point: int
    hidden_zero_point: int
    input_weight_zero_points: tuple[int, ...]
    recurrent_weight_zero_points: tuple[int, ...]
    input_factors: tuple[FixedPoint, ...]
    recurrent_factors: tuple[FixedPoint, ...]
    state_factors: tuple[FixedPoint, FixedPoint]
    hidden_factor: FixedPoint
    state_limits: tuple[int, int]
    hidden_limits: tuple[int, int]
    state_tanh: tuple[int, int]
    has_tanh: bool

    @property
    def is_wide(self) -> bool:
        """Whether gates accumulate in 64 bits: with int16 activations."""
        return self.hidden_limits == INT16_LIMITS

    @property
    def activation_limit(self) -> int:
        """The largest magnitude of a stored input or hidden value."""
        return -self.hidden_limits[0]


def integer_scaling(
    source: Tensor,
    hidden: Tensor,
    cell: Tensor,
    input_weights: Sequence[Tensor],
    recurrent_weights: Sequence[Tensor],
    *,
    cell_clip: float,
    has_tanh: bool,
) -> IntegerScaling:
    """The scaling of an LSTM of the right types and shapes; NodeError for impossible scales."""
    for role, state in (("cell", cell), ("hidden", hidden)):
        is_positive = bool(0.0 < np.float32(state.scale) < np.inf)
        check(is_positive, f"the {role} state has no positive scale")
    for tensor in (source, hidden, *input_weights, *recurrent_weights):
        _check_quantization(tensor)
    limits = np.iinfo(hidden.dtype)
    return IntegerScaling(
        input_zero_point=source.zero_point,
        hidden_zero_point=hidden.zero_point,
        input_weight_zero_points=tuple(weights.zero_point for weights in input_weights),
        recurrent_weight_zero_points=tuple(weights.zero_point for weights in recurrent_weights),
        input_factors=tuple(_gate_factor(source, weights) for weights in input_weights),
        recurrent_factors=tuple(_gate_factor(hidden, weights) for weights in recurrent_weights),
        state_factors=(
            quantize_multiplier(_GATE_OUTPUT_SCALE**2 / cell.scale),
            quantize_multiplier(_GATE_OUTPUT_SCALE * cell.scale / cell.scale),
        ),
        hidden_factor=quantize_multiplier(_GATE_OUTPUT_SCALE**2 / hidden.scale),
        state_limits=_state_limits(cell, cell_clip),
        hidden_limits=(int(limits.min), int(limits.max)),
        state_tanh=_state_tanh(cell),
        has_tanh=has_tanh,
    )


def _check_quantization(tensor: Tensor) -> None:
    check(len(tensor.quantization.scales) < 2, "weights with a scale per channel are not supported")
    check(0.0 <= tensor.scale < math.inf, f"tensor '{tensor.name}' has no positive scale")
    limits = np.iinfo(tensor.dtype)
    check(
        limits.min <= tensor.zero_point <= limits.max,
        f"the zero point of tensor '{tensor.name}' is out of the range of its type",
    )


def _gate_factor(activations: Tensor, weights: Tensor) -> FixedPoint:
    """The product of the scales is rounded to float32, as TFLM does."""
    with np.errstate(over="ignore"):
        product = np.float32(activations.scale) * np.float32(weights.scale)
    check(bool(np.isfinite(product)), "the scales of a gate are too large")
    return quantize_multiplier(float(product) / _GATE_INPUT_SCALE)


def _state_limits(cell: Tensor, clip: float) -> tuple[int, int]:
    low, high = INT16_LIMITS
    if not clip > 0.0:
        return low, high
    steps = int(min(clip / cell.scale, float(high)))
    return max(low, -steps), steps


def _state_tanh(cell: Tensor) -> tuple[int, int]:
    """Multiplier and shift that bring the state to Q3.12; its scale counts as a power of two."""
    one = np.float32(1.0)
    power = np.log(np.float32(cell.scale)) * (one / np.log(np.float32(2.0)))
    left = int(math.copysign(math.floor(abs(power) + 0.5), power)) + 12
    check(-31 <= left <= 28, "the scale of the cell state is out of range")
    return (0, left) if left >= 0 else (3, -left)
