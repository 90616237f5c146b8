"""Buffers of ESP-NN's kernels for S3 and P4, beside sizes worked out by hand from its sources."""

from __future__ import annotations

import pytest

from tests.runtime.planning.test_cmsis_nn_buffers import windows
from tests.support.single_op import SingleOp, fed
from tinyml_runtime.arena_uses.esp_nn import esp32p4, esp32s3
from tinyml_runtime.arena_uses.windows import Windows
from tinyml_runtime.errors import ArenaUnknownError
from tinyml_runtime.memory.abi import load_abi
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.options import SoftmaxOptions
from tinyml_runtime.planning.arena_plan import plan_arena
from tinyml_runtime.types import BuiltinOperator, Padding

VALID = Padding.VALID


@pytest.mark.parametrize(
    ("convolution", "size"),
    [
        # Pointwise, channels in eights: weights, two times 8 x 16 transposed, 64.
        (windows((4, 4), (1, 1), 16, 10), 16 * 10 + 256 + 64),
        # Other channels are padded in the image as well; seven elements are not transposed.
        (windows((1, 7), (1, 1), 10, 10), 7 * 16 + 16 * 10 + 64),
        # A line of a window below 16, all of it not: sums, weights and one patch in 32, 2 x 16.
        (windows((8, 8), (3, 3), 3, 4), 16 + 5 * 32 + 32 + 64),
        # Padded by one around, which windows exceed by two beyond the end: 10 x 10 x 16 twice,
        # weights twice, 4 sums.
        (windows((8, 8), (3, 3), 16, 4), 2 * 1600 + 2 * 9 * 16 * 4 + 16 + 64),
    ],
)
def test_convolutions_on_s3(convolution: Windows, size: int) -> None:
    assert esp32s3.convolve_s8(convolution) == size


@pytest.mark.parametrize(
    ("convolution", "multiplier", "size"),
    [
        # 3 x 3 of 16 channels: weights and the padded image.
        (windows((8, 8), (3, 3), 16, 16), 1, 144 + 1600 + 16),
        # Above 40 KiB three lines of it.
        (windows((64, 64), (3, 3), 16, 16), 1, 144 + 66 * 3 * 16 + 16),
        # Not padded and nothing left over.
        (windows((8, 8), (3, 3), 16, 16, padding=VALID), 1, 144 + 16),
        # 24 channels become 32: weights, image (padded by 2 and 2 more), output, 64.
        (windows((8, 8), (3, 3), 24, 24), 1, (9 + 144 + 64) * 32 + 64),
        # 8 channels, or other windows, in 16 bits.
        (windows((8, 8), (3, 3), 8, 8), 1, 2 * (72 + 512) + 32),
        (windows((8, 8), (5, 5), 16, 16), 1, 2 * (400 + 1024) + 32),
        # Above 48 KiB as many lines as the window is high.
        (windows((64, 64), (5, 5), 16, 16), 1, 2 * (400 + 64 * 5 * 16) + 32),
        # 5 channels become 8: weights, image, output, three times four bytes a channel.
        (windows((4, 4), (3, 3), 5, 5), 1, 144 + 256 + 128 + 96 + 16),
        # Several filters a channel, by fours or not.
        (windows((4, 4), (3, 3), 3, 12), 4, 2 * (108 + 48) + 32),
        (windows((4, 4), (3, 3), 3, 6), 2, 32),
    ],
)
def test_depthwise_convolutions_on_s3(convolution: Windows, multiplier: int, size: int) -> None:
    assert esp32s3.depthwise_s8(convolution, multiplier) == size


@pytest.mark.parametrize(
    ("convolution", "size"),
    [
        (windows((4, 4), (1, 1), 3, 10), 4 * 10 + 16 * 10 + 32 + 32),
        (windows((4, 4), (1, 1), 16, 10), 16 * 10 + 256 + 32),
        # Not padded: weights with channels in sixteens, and sums.
        (windows((8, 8), (3, 3), 8, 4, padding=VALID), 9 * 16 * 4 + 16 + 32),
        # Padded, a window of 16 and more: one window.
        (windows((8, 8), (3, 3), 8, 4), 72 + 16 + 32),
        # A window below 16: the image and the weights with 16 channels.
        (windows((8, 8), (3, 3), 1, 4, padding=VALID), (9 * 4 + 64) * 16 + 16 + 32),
        # Padded, below 32 KiB: the padded image and the weights.
        (windows((8, 8), (3, 3), 1, 4), 100 + 9 * 16 * 4 + 16 + 32),
        # Above: 16-channel lines of 202 elements; (32768 - 16 - 576 - 3 x 3232) // 3232 + 1 = 7
        # outputs high.
        (windows((200, 200), (3, 3), 1, 4), (6 + 3 + 2) * 3232 + 576 + 16 + 32),
    ],
)
def test_convolutions_on_p4(convolution: Windows, size: int) -> None:
    assert esp32p4.convolve_s8(convolution) == size


def _plan(shape: tuple[int, ...]) -> list[int]:
    source, output = fed(shape, "int8", 0.1, 0), fed(shape, "int8", 1 / 256, -128)
    model = SingleOp(BuiltinOperator.SOFTMAX, [source], [output], SoftmaxOptions(1.0)).model()
    profile = RuntimeProfile(load_abi("ilp32"))
    plan = plan_arena(model, profile, GreedyPlanner(), "esp-nn")
    return [buffer.bytes for buffer in plan.buffers if buffer.scratch_of is not None]


def test_softmax_takes_the_second_dimension_for_the_length_of_a_row() -> None:
    assert _plan((1, 12)) == [48]
    assert _plan((1, 3, 12)) == [12]


def test_softmax_of_one_dimension_has_a_buffer_that_nobody_knows() -> None:
    with pytest.raises(ArenaUnknownError, match="any size"):
        _plan((12,))
