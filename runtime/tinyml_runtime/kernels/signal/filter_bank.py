"""SignalFilterBank: the energy in overlapping bands of a spectrum.

Shapes    input [frequencies], weights and unweights [any], first frequency, first weight and width
          of each of num_channels + 1 bands -> output [num_channels]
Types     input uint32; weights, unweights and bands int16; output uint64
Units     a channel is the sum of one band times its unweights and of the next times its weights,
          wrapped at 64 bits
Source    tflite-micro `signal/micro/kernels/filter_bank.cc`, `signal/src/filter_bank.cc`
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from tinyml_runtime.errors import NodeError, RunError
from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.signal.options import check_tensor, read_integers
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
)
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import TensorType

INPUT, WEIGHTS, UNWEIGHTS = 0, 1, 2
FREQUENCY_STARTS, WEIGHT_STARTS, WIDTHS = 3, 4, 5
OUTPUT = 0

_ROLES = ("weights", "unweights", "frequency starts", "weight starts", "channel widths")

# Frequencies and weights of a band.
Band: TypeAlias = tuple[slice, slice]

# What a matrix product in float64 carries exactly: sums below 2**53 of 32-bit numbers.
_LARGEST_WEIGHTS = 2**21
_LARGEST_MATRIX = 2**20


@dataclass(frozen=True, slots=True)
class FilterBankData:
    """The bands, if they are constant; and the sums over `used` frequencies as a matrix product."""

    channels: int
    frequencies: int
    bands: Sequence[Band] | None
    used: slice
    matrix: Array | None
    stackable: bool


def prepare(context: PrepareContext, node: Node) -> FilterBankData:
    """Check the operands; lay out constant bands."""
    check_counts(node, (6,))
    (channels,) = read_integers(node, "num_channels")
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check_tensor(source, "the input", TensorType.UINT32, 1)
    check_tensor(output, "the output", TensorType.UINT64, 1)
    operands = [context.input(node, position) for position in range(WEIGHTS, WIDTHS + 1)]
    for tensor, role in zip(operands, _ROLES, strict=True):
        check_tensor(tensor, role, TensorType.INT16, 1)
    check(channels >= 0, f"num_channels is {channels}")
    check_shape(output, "the output", (channels,))
    for tensor, role in zip(operands[2:], _ROLES[2:], strict=True):
        check(tensor.size > channels, f"there are {tensor.size} {role} for {channels} channels")
    if not all(tensor.is_constant for tensor in operands):
        return FilterBankData(channels, source.size, None, slice(0), None, False)
    values = [tensor.values for tensor in operands]
    bands = _bands(values, channels, source.size)
    used = _used(bands)
    return FilterBankData(
        channels=channels,
        frequencies=source.size,
        bands=bands,
        used=used,
        matrix=_matrix(values[0], values[1], bands, used),
        stackable=not source.is_constant and channels > 0 and source.size > 0,
    )


def bind(context: EvalContext, node: Node, data: FilterBankData) -> Callable[[], None]:
    """Sum up the bands. Raises RunError where bands that the model computes are not there."""
    if data.matrix is None:
        return partial(_evaluate_by_band, context, node, data)
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    used = source.reshape(-1, data.frequencies)[:, data.used]
    if len(used) == 1:
        used = used[0]  # copied faster without a second axis
    spectra = np.empty(used.shape)
    sums = np.empty((*used.shape[:-1], data.channels))
    outputs, matrix, product = output.reshape(sums.shape), data.matrix, spectra.dot

    def run() -> None:
        spectra[...] = used
        product(matrix, sums)
        outputs[...] = sums

    return run


def _evaluate_by_band(context: EvalContext, node: Node, data: FilterBankData) -> None:
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    values = [context.input(node, position).values for position in range(WEIGHTS, WIDTHS + 1)]
    bands = data.bands
    if bands is None:
        try:
            bands = _bands(values, data.channels, data.frequencies)
        except NodeError as error:
            raise RunError(f"node {node.index} ({node.operator}): {error.reason}") from None
    channels = output.reshape(-1, data.channels) if data.channels else output[None]
    for spectrum, sums in zip(source.reshape(len(channels), -1), channels, strict=True):
        _sum_bands(spectrum, values[0], values[1], bands, sums)


def _bands(operands: Sequence[Array], channels: int, frequencies: int) -> Sequence[Band]:
    """The bands of all channels and the one before; NodeError where one is out of bounds."""
    weights = min(len(operands[0]), len(operands[1]))
    bands: list[Band] = []
    columns = (values[: channels + 1].tolist() for values in operands[2:])
    for first, weight, width in zip(*columns, strict=True):
        if width <= 0:
            bands.append((slice(0, 0), slice(0, 0)))
            continue
        check(
            0 <= first <= frequencies - width and 0 <= weight <= weights - width,
            f"band {len(bands)}, {width} wide from frequency {first} and weight {weight} on, "
            f"leaves the {frequencies} frequencies or the {weights} weights",
        )
        bands.append((slice(first, first + width), slice(weight, weight + width)))
    return bands


def _used(bands: Sequence[Band]) -> slice:
    filled = [frequencies for frequencies, _ in bands if frequencies.stop]
    start = min((part.start for part in filled), default=0)
    return slice(start, max((part.stop for part in filled), default=0))


def _matrix(weights: Array, unweights: Array, bands: Sequence[Band], used: slice) -> Array | None:
    """Weights [frequencies, channels]; None where a product with them would not be exact."""
    shape = used.stop - used.start, len(bands) - 1
    if shape[0] * shape[1] > _LARGEST_MATRIX or min(weights.min(), unweights.min()) < 0:
        return None
    matrix = np.zeros(shape)
    for channel, (before, after) in enumerate(pairwise(bands)):
        for (frequencies, part), factors in ((before, unweights), (after, weights)):
            if frequencies.stop:
                rows = slice(frequencies.start - used.start, frequencies.stop - used.start)
                matrix[rows, channel] += factors[part]
    return matrix if matrix.sum(0).max(initial=0) < _LARGEST_WEIGHTS else None


def _sum_bands(
    spectrum: Array, weights: Array, unweights: Array, bands: Sequence[Band], sums: Array
) -> None:
    """As TFLM does it: what the band before leaves, and the weighted sum of the band."""
    wide = spectrum.astype(np.uint64)
    rising, falling = (array.astype(np.int64).view(np.uint64) for array in (weights, unweights))
    for channel, (before, after) in enumerate(pairwise(bands)):
        left = np.dot(wide[before[0]], falling[before[1]])
        sums[channel] = left + np.dot(wide[after[0]], rising[after[1]])


def _operands_are_constant(data: FilterBankData) -> bool:
    return data.stackable


SIGNAL_FILTER_BANK = Registration(
    "SignalFilterBank", prepare, BindingEvaluate(bind), stacks=_operands_are_constant
)
