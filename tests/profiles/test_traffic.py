"""How often nodes read their weights and their activations, counted by hand on small models."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tinyml_profiles.traffic import Walk, node_traffic
from tinyml_profiles.work import NodeTensors
from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import TensorType

NO_EXTENSIONS: frozenset[str] = frozenset()


def tensor(index: int, shape: Sequence[int], is_constant: bool = False, **more: object) -> Tensor:
    kind = TensorType.INT32 if more.get("is_wide") else TensorType.INT8
    return Tensor(index, f"t{index}", kind, tuple(shape), is_constant=is_constant)


def conv(
    kernel: Sequence[int], extensions: frozenset[str] = NO_EXTENSIONS
) -> tuple[NodeTensors, Node]:
    """A convolution of a [1, 8, 8, 4] image with 16 filters of kernel x 4 values."""
    tensors = [
        tensor(0, (1, 8, 8, 4)),
        tensor(1, (16, *kernel, 4), is_constant=True),
        tensor(2, (16,), is_constant=True, is_wide=True),
        tensor(3, (1, 8, 8, 16)),
    ]
    return NodeTensors(tensors, extensions), Node(0, 0, "CONV_2D", (0, 1, 2), (3,))


def test_the_reference_reads_all_filters_again_for_every_pixel() -> None:
    context, node = conv((3, 3))
    macs = 64 * 16 * 9 * 4
    traffic = node_traffic(context, node, "reference", macs)
    # 16*3*3*4 bytes of weights and 16 biases of 4 bytes; one byte read for every product.
    assert traffic.weights == Walk(576 + 64, macs, 576 + 64)
    # Image and output lie in the arena; a window slides over three rows of 8*4 bytes.
    assert traffic.arena == Walk(256 + 1024, macs, 3 * 8 * 4)


@pytest.mark.parametrize(("extensions", "shared"), [({"dsp"}, 2), ({"dsp", "mve"}, 4)])
def test_cmsis_nn_makes_several_products_of_a_weight(extensions: set[str], shared: int) -> None:
    context, node = conv((3, 3), frozenset(extensions))
    macs = 64 * 16 * 9 * 4
    traffic = node_traffic(context, node, "cmsis-nn", macs)
    assert traffic.weights == Walk(640, macs / shared, 640)


def test_cmsis_nn_takes_two_filters_over_all_pixels_where_they_are_one_by_one() -> None:
    context, node = conv((1, 1), frozenset({"dsp"}))
    macs = 64 * 16 * 4
    traffic = node_traffic(context, node, "cmsis-nn", macs)
    # 16*4 weights and 64 bytes of biases; a round is two filters of four values.
    assert traffic.weights == Walk(128, macs / 2, 8)


def test_four_channels_do_not_fill_a_vector() -> None:
    context, node = conv((3, 3))
    assert node_traffic(context, node, "esp-nn", 0).is_ragged


def test_a_fully_connected_layer_reads_each_weight_once() -> None:
    tensors = [tensor(0, (1, 32)), tensor(1, (10, 32), is_constant=True), tensor(2, (1, 10))]
    node = Node(0, 0, "FULLY_CONNECTED", (0, 1, -1), (2,))
    traffic = node_traffic(NodeTensors(tensors, NO_EXTENSIONS), node, "cmsis-nn", 320)
    assert traffic.weights == Walk(320, 320, 320)
    assert traffic.arena == Walk(42, 320, 42)


def test_a_node_without_constants_reads_only_the_arena() -> None:
    tensors = [tensor(0, (1, 10)), tensor(1, (1, 10))]
    node = Node(0, 0, "SOFTMAX", (0,), (1,))
    traffic = node_traffic(NodeTensors(tensors, NO_EXTENSIONS), node, "reference", 0)
    assert traffic.weights == Walk()
    assert traffic.arena == Walk(20, 20, 20)
    plain = Node(0, 0, "RESHAPE", (0,), (1,))
    short = node_traffic(NodeTensors(tensors, NO_EXTENSIONS), plain, "reference", 0)
    # Exponentials are long code.
    assert traffic.kernel_bytes > short.kernel_bytes
