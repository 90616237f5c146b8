"""How the shapes that a node makes follow from those that it takes, when an image gets smaller.

Every rule starts from the shapes of the file, so that what it does not know of stays as it is.
Operators without a rule can only stand where nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, NoReturn, TypeAlias

from tinyml_profiles.rewriting.errors import RewriteError
from tinyml_runtime.errors import NodeError
from tinyml_runtime.kernels.windows import window_axis
from tinyml_runtime.model.options import (
    ConcatenationOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    Pool2DOptions,
    ReducerOptions,
    ReshapeOptions,
    TransposeConvOptions,
)

Shape: TypeAlias = tuple[int, ...]
_INPUT, _WEIGHTS, _OUTPUT = 0, 1, 0


@dataclass(slots=True)
class NodeShapes:
    """A node while its graph changes.

    `old` and `inputs` are the shapes of its inputs in the file and now, `outputs` those of its
    outputs in the file. `values` holds integer constants by position; new ones go to `changed`.
    """

    name: str
    place: int
    options: Any
    old: Sequence[Shape]
    inputs: Sequence[Shape]
    outputs: Sequence[Shape]
    values: Mapping[int, tuple[int, ...]]
    changed: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])

    def fail(self, reason: str) -> NoReturn:
        """Raise the error that names the node."""
        raise RewriteError(f"node {self.place} ({self.name}) {reason}")

    def constant(self, position: int) -> tuple[int, ...]:
        """The integers of a constant input."""
        if position not in self.values:
            self.fail("takes sizes that are no constants")
        return self.values[position]


Rule: TypeAlias = Callable[[NodeShapes], list[Shape]]


def new_outputs(node: NodeShapes) -> list[Shape]:
    """The shapes of the outputs now; RewriteError where nobody can say, or an output vanishes."""
    if list(node.old) == list(node.inputs):
        return list(node.outputs)
    rule = _RULES.get(node.name)
    if rule is None:
        node.fail("has sizes of its own that do not follow the image")
    try:
        shapes = rule(node)
    except NodeError as error:
        node.fail(f"has no output left: {error}")
    except IndexError:
        node.fail("has another rank than its operator takes")
    if any(size < 1 for shape in shapes for size in shape):
        node.fail("has no output left")
    return shapes


def _same(node: NodeShapes) -> list[Shape]:
    """Inputs broadcast to each other."""
    rank = max(map(len, node.inputs))
    padded = [(1,) * (rank - len(shape)) + shape for shape in node.inputs]
    sizes: list[int] = []
    for lengths in zip(*padded, strict=True):
        longer = {length for length in lengths if length != 1}
        if len(longer) > 1:
            node.fail("has inputs that no longer go together")
        sizes.append(longer.pop() if longer else 1)
    return [tuple(sizes)]


def _first(node: NodeShapes) -> list[Shape]:
    """The first input's shape, whatever the others are."""
    return [node.inputs[_INPUT]]


def _windows(
    node: NodeShapes, options: Conv2DOptions | DepthwiseConv2DOptions | Pool2DOptions, taps: Shape
) -> list[Shape]:
    _, height, width, _ = node.inputs[_INPUT]
    dilations = (1, 1)
    if not isinstance(options, Pool2DOptions):
        dilations = options.dilation_h_factor, options.dilation_w_factor
    strides = options.stride_h, options.stride_w
    rows, columns = (
        window_axis(size, tap, stride, options.padding, dilation=dilation).outputs
        for size, tap, stride, dilation in zip(
            (height, width), taps, strides, dilations, strict=True
        )
    )
    batch, _, _, channels = node.outputs[_OUTPUT]
    return [(batch, rows, columns, channels)]


def _convolution(node: NodeShapes) -> list[Shape]:
    return _windows(node, node.options, node.inputs[_WEIGHTS][1:3])


def _pool(node: NodeShapes) -> list[Shape]:
    """A window over the whole image stays one."""
    options: Pool2DOptions = node.options
    taps = options.filter_height, options.filter_width
    if taps == node.old[_INPUT][1:3]:
        taps = node.inputs[_INPUT][1:3]
        node.options = replace(options, filter_height=taps[0], filter_width=taps[1])
    return _windows(node, node.options, taps)


def _transpose_conv(node: NodeShapes) -> list[Shape]:
    """Every row and column less takes a stride of the output with it."""
    options: TransposeConvOptions = node.options
    _, old_rows, old_columns, _ = node.old[2]
    _, rows, columns, _ = node.inputs[2]
    batch, height, width, channels = node.outputs[_OUTPUT]
    height += (rows - old_rows) * options.stride_h
    width += (columns - old_columns) * options.stride_w
    node.changed[0] = shape = (batch, height, width, channels)
    return [shape]


def _resize(node: NodeShapes) -> list[Shape]:
    """The same factor as before."""
    _, old_rows, old_columns, _ = node.old[_INPUT]
    _, rows, columns, _ = node.inputs[_INPUT]
    batch, height, width, channels = node.outputs[_OUTPUT]
    node.changed[1] = round(height * rows / old_rows), round(width * columns / old_columns)
    return [(batch, *node.changed[1], channels)]


def _padded(node: NodeShapes) -> list[Shape]:
    """As much longer as before."""
    old, new = node.old[_INPUT], node.inputs[_INPUT]
    longer = zip(node.outputs[_OUTPUT], old, new, strict=True)
    return [tuple(output - before + now for output, before, now in longer)]


def _concatenation(node: NodeShapes) -> list[Shape]:
    options: ConcatenationOptions = node.options
    first = node.inputs[_INPUT]
    axis = options.axis % len(first)
    others = {shape[:axis] + shape[axis + 1 :] for shape in node.inputs}
    if len(others) > 1:
        node.fail("has inputs that no longer go together")
    total = sum(shape[axis] for shape in node.inputs)
    return [(*first[:axis], total, *first[axis + 1 :])]


def _reduced(node: NodeShapes) -> list[Shape]:
    options: ReducerOptions = node.options
    shape = node.inputs[_INPUT]
    axes = {axis % len(shape) for axis in node.constant(1)}
    if options.keep_dims:
        return [tuple(1 if k in axes else size for k, size in enumerate(shape))]
    return [tuple(size for k, size in enumerate(shape) if k not in axes)]


def _transposed(node: NodeShapes) -> list[Shape]:
    return [tuple(node.inputs[_INPUT][axis] for axis in node.constant(1))]


def _reshaped(node: NodeShapes) -> list[Shape]:
    """Sizes that are as before stay; of those between, the first takes all of the change."""
    old, new, output = node.old[_INPUT], node.inputs[_INPUT], node.outputs[_OUTPUT]
    start = _alike(old, new, output)
    stop = _alike(old[start:][::-1], new[start:][::-1], output[start:][::-1])
    between = list(output[start : len(output) - stop])
    elements = prod(new[start : len(new) - stop])
    place = next((k for k, size in enumerate(between) if size > 1), None)
    rest = 0 if place is None else prod(between) // between[place]
    if place is None or not rest or elements % rest:
        node.fail("makes a shape that does not follow the image")
    between[place] = elements // rest
    shape = (*output[:start], *between, *output[len(output) - stop :])
    if 1 in node.values:
        given = node.constant(1)
        is_free = len(given) == len(shape) and -1 in given
        node.changed[1] = (
            tuple(-1 if one == -1 else size for one, size in zip(given, shape, strict=True))
            if is_free
            else shape
        )
    if isinstance(node.options, ReshapeOptions) and node.options.new_shape:
        node.options = replace(node.options, new_shape=shape)
    return [shape]


def _alike(old: Shape, new: Shape, output: Shape) -> int:
    """How many sizes from the start on are the same in all."""
    count = 0
    for sizes in zip(old, new, output, strict=False):
        if len(set(sizes)) > 1:
            break
        count += 1
    return count


def _fully_connected(node: NodeShapes) -> list[Shape]:
    """Every image position by itself, or as many values as there are weights for."""
    depth = node.inputs[_WEIGHTS][-1]
    if node.inputs[_INPUT][-1] != depth or len(node.outputs[_OUTPUT]) < 3:
        node.fail(f"takes {depth:,} values: another image needs other weights there")
    return [(*node.inputs[_INPUT][:-1], node.outputs[_OUTPUT][-1])]


_BROADCASTING = ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE")
_ELEMENTWISE = (
    "ABS",
    "CAST",
    "DEQUANTIZE",
    "ELU",
    "EXP",
    "HARD_SWISH",
    "L2_NORMALIZATION",
    "LEAKY_RELU",
    "LOGISTIC",
    "LOG_SOFTMAX",
    "NEG",
    "QUANTIZE",
    "RELU",
    "RELU6",
    "RSQRT",
    "SOFTMAX",
    "SQRT",
    "SQUARE",
    "TANH",
)
_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_BROADCASTING, _same),
    **dict.fromkeys(_ELEMENTWISE, _first),
    "PRELU": _same,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"), _pool),
    "TRANSPOSE_CONV": _transpose_conv,
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), _resize),
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), _padded),
    "CONCATENATION": _concatenation,
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), _reduced),
    "TRANSPOSE": _transposed,
    "RESHAPE": _reshaped,
    "FULLY_CONNECTED": _fully_connected,
}
