"""What values of activations do to a latency: spreads of kernels, and the interval they widen."""

from __future__ import annotations

import pytest

from tests.runtime.kernels.test_softmax import TO_INT8, softmax
from tinyml_profiles import load_target, profile_model
from tinyml_profiles.instructions import LoopCost, LoopTable, count_instructions, load_loops
from tinyml_profiles.uncertainty import interval
from tinyml_runtime.workload import LoopWork

NOTHING = LoopCost((0.0,) * 18, (1.0,) + (0.0,) * 17, "measured")


def test_the_spread_of_a_node_is_that_of_its_own_kernel() -> None:
    loops = {"softmax.call": NOTHING, "copy.byte": NOTHING}
    table = LoopTable("library", "core", "source", loops, {"softmax": 0.25})
    own, called = LoopWork("softmax.call", entries=1), LoopWork("copy.byte", trips=5)
    assert count_instructions([own, called], table).spread == 0.25
    assert count_instructions([called, own], table).spread == 0.0
    assert count_instructions([], table).spread == 0.0


def test_an_interval_widens_by_what_values_do_as_independent_errors_add_up() -> None:
    target = load_target("cortex-m4")
    narrow = interval(target, "cmsis-nn")
    wide = interval(target, "cmsis-nn", 0.3)
    assert narrow is not None
    assert wide is not None
    assert 1 - wide.low == pytest.approx(((1 - narrow.low) ** 2 + 0.09) ** 0.5)
    assert wide.high - 1 == pytest.approx(((narrow.high - 1) ** 2 + 0.09) ** 0.5)
    widest = interval(target, "cmsis-nn", 5.0)
    assert widest is not None
    assert widest.low == 0.0


def test_a_softmax_alone_has_a_wider_interval_than_the_target() -> None:
    report = profile_model(softmax(TO_INT8, (1, 10), scale=0.1).model(), "nucleo-l4r5zi")
    (node,) = report.nodes
    assert node.instructions is not None
    assert node.instructions.spread > 0.1
    factors = interval(report.target, "reference")
    total = report.total
    assert factors is not None
    assert total.latency_ms is not None
    assert total.latency_low_ms is not None
    assert total.latency_low_ms < total.latency_ms * factors.low


@pytest.mark.parametrize(
    ("core", "least", "most"),
    [
        ("cortex-m0", 40, 100),
        ("cortex-m3", 30, 80),
        ("rv32imc", 40, 100),
        ("cortex-m4", 0, 0.01),
        ("rv32imafc", 0, 0.01),
    ],
)
def test_an_operand_of_zero_saves_instructions_where_there_is_no_fpu(
    core: str, least: float, most: float
) -> None:
    table = load_loops("reference", core)
    assert table is not None
    assert least <= sum(table.loops["float32.product"].trip[:-1]) <= most
