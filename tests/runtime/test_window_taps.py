"""Taps of sliding windows: as a walk over all of them counts them, and without that walk."""

from __future__ import annotations

from itertools import product

import pytest

from tests.runtime.kernels.test_convolutions import conv, depthwise
from tests.runtime.kernels.test_pooling import AVERAGE, MAX, pool
from tests.support.single_op import SingleOp
from tinyml_profiles import plan_model, profile_model
from tinyml_runtime.types import Padding
from tinyml_runtime.workloads.windows import taps_inside

SAME, ENDLESS = Padding.SAME, 2**31 - 1
SIZES, TAPS, STRIDES, DILATIONS, OUTPUTS, BEFORE = (
    (1, 2, 5, 9),
    (1, 2, 4),
    (1, 2, 3),
    (1, 2, 3),
    (1, 3, 6),
    (0, 1, 4),
)


def test_taps_are_those_of_a_walk() -> None:
    for size, taps, stride, dilation, outputs, before in product(
        SIZES, TAPS, STRIDES, DILATIONS, OUTPUTS, BEFORE
    ):
        inside = [
            sum(0 <= place * stride - before + tap * dilation < size for tap in range(taps))
            for place in range(outputs)
        ]
        found = taps_inside(size, taps, stride, dilation, outputs, before)
        assert found.inside == sum(inside)
        assert found.full_positions == inside.count(taps)


HOSTILE = {
    "average": pool(AVERAGE, image=(1, 4, 4, 5), taps=(ENDLESS, ENDLESS), padding=SAME),
    "max": pool(MAX, image=(1, 4, 4, 5), taps=(ENDLESS, ENDLESS), padding=SAME),
    "long image": pool(AVERAGE, image=(1, 1, 10**9, 1), taps=(3, ENDLESS), padding=SAME),
    "convolution": conv(image=(1, 1, 10**9, 1), filters=1),
    "tall convolution": conv(image=(1, 10**9, 1, 1), filters=1),
    "depthwise": depthwise(image=(1, 1, 10**9, 1)),
}


@pytest.mark.parametrize(
    ("target", "library"),
    [
        ("nucleo-l4r5zi", "cmsis-nn"),
        ("cortex-m55", "cmsis-nn"),
        ("nucleo-l4r5zi", "reference"),
        ("esp32-devkit-v1", "esp-nn"),
    ],
)
@pytest.mark.parametrize("case", HOSTILE.values(), ids=HOSTILE)
def test_what_a_file_claims_takes_no_turns(case: SingleOp, target: str, library: str) -> None:
    model = case.model()
    assert profile_model(model, target, library, clock_hz=1e8).total.cycles
    assert plan_model(model, target, library).arena.min_bytes > 0
