"""KISS FFT for every element type, any number of transforms at once: the same steps, the same bits.

Arrays are [real and imaginary, transforms, numbers], in the element type's arithmetic.

Source    KISS FFT 130 `kiss_fft.c`, `tools/kiss_fftr.c`
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.kernels.signal.fft_numbers import NUMBERS, Numbers
from tinyml_runtime.kernels.signal.fft_plan import FftPlan
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import TensorType


@dataclass(frozen=True, slots=True)
class Transform:
    """A plan with its twiddles in one element type; `twiddles` has one array a stage."""

    plan: FftPlan
    numbers: Numbers
    roots: Array
    twiddles: tuple[Array, ...]
    real_twiddles: Array


def transform(plan: FftPlan, kind: TensorType) -> Transform:
    """Fill in the twiddles for elements of type `kind`."""
    numbers = NUMBERS[kind]
    roots = numbers.roots(plan.phases)
    twiddles = tuple(roots[:, None, stage.twiddles[1:]] for stage in plan.stages)
    return Transform(plan, numbers, roots, twiddles, numbers.roots(plan.real_phases))


def to_frequencies(fft: Transform, samples: Array) -> Array:
    """The spectra, [2, transforms, points + 1], of real signals [transforms, 2 * points]."""
    numbers, points, half = fft.numbers, fft.plan.points, fft.plan.half
    pairs = samples.astype(numbers.dtype).reshape(len(samples), points, 2)
    packed = _complex_transform(fft, np.moveaxis(pairs, -1, 0))
    spectra = np.zeros((2, len(samples), points + 1), numbers.dtype)
    first = numbers.divide(packed[:, :, 0], 2)
    spectra[0, :, 0], spectra[0, :, points] = first[0] + first[1], first[0] - first[1]
    near, mirrored = _near_and_mirrored(fft, packed)
    even = numbers.wrap(near + mirrored)
    odd = numbers.complex_product(numbers.wrap(near - mirrored), fft.real_twiddles[:, None])
    spectra[:, :, 1 : half + 1] = numbers.half(even + odd)
    # Where both meet in the middle, the mirror image stays.
    spectra[0, :, points - half : points] = numbers.half(even[0] - odd[0])[:, ::-1]
    spectra[1, :, points - half : points] = numbers.half(odd[1] - even[1])[:, ::-1]
    return numbers.wrap(spectra)


def to_samples(fft: Transform, spectra: Array) -> Array:
    """The real signals, [transforms, 2 * points], of spectra [2, transforms, points + 1]."""
    numbers, points, half = fft.numbers, fft.plan.points, fft.plan.half
    spectra = spectra.astype(numbers.dtype)
    packed = np.empty((2, spectra.shape[1], points), numbers.dtype)
    first, last = spectra[0, :, 0], spectra[0, :, points]
    packed[:, :, 0] = numbers.divide(numbers.wrap(np.stack([first + last, first - last])), 2)
    near, mirrored = _near_and_mirrored(fft, spectra)
    even = numbers.wrap(near + mirrored)
    odd = numbers.complex_product(numbers.wrap(near - mirrored), fft.real_twiddles[:, None])
    packed[:, :, 1 : half + 1] = even + odd
    packed[:, :, points - half :] = _conjugate(numbers, numbers.wrap(even - odd))[:, :, ::-1]
    signals = _complex_transform(fft, numbers.wrap(packed))
    return np.moveaxis(signals, 0, -1).reshape(-1, 2 * points)


def _near_and_mirrored(fft: Transform, values: Array) -> tuple[Array, Array]:
    """Values 1 to half and, conjugated, their mirror images; both divided by two."""
    numbers, points, half = fft.numbers, fft.plan.points, fft.plan.half
    near = values[:, :, 1 : half + 1]
    mirrored = _conjugate(numbers, values[:, :, points - half : points][:, :, ::-1])
    return numbers.divide(near, 2), numbers.divide(mirrored, 2)


def _conjugate(numbers: Numbers, values: Array) -> Array:
    return np.stack([values[0], numbers.wrap(-values[1])])


def _complex_transform(fft: Transform, values: Array) -> Array:
    numbers, shape = fft.numbers, values.shape
    for stage, twiddles in zip(fft.plan.stages, fft.twiddles, strict=True):
        rows = numbers.divide(values.reshape(2, shape[1], stage.radix, -1), stage.radix)
        turned = numbers.complex_product(rows[:, :, 1:], twiddles)
        inputs = [rows[:, :, 0], *(turned[:, :, row] for row in range(stage.radix - 1))]
        outputs = _BUTTERFLIES[stage.radix](fft, inputs)
        values = numbers.wrap(np.stack(outputs, axis=-1)).reshape(shape)
    return values[:, :, fft.plan.order]


def _butterfly_2(fft: Transform, rows: Sequence[Array]) -> list[Array]:
    first, second = rows
    return [first + second, first - second]


def _butterfly_3(fft: Transform, rows: Sequence[Array]) -> list[Array]:
    numbers = fft.numbers
    first, second, third = rows
    total = numbers.wrap(second + third)
    sine = fft.roots[1, fft.plan.points // 3]
    across = numbers.product(numbers.wrap(second - third), sine)
    middle = numbers.wrap(first - numbers.half(total))
    turned = _quarter_turn(across)
    return [first + total, middle - turned, middle + turned]


def _butterfly_4(fft: Transform, rows: Sequence[Array]) -> list[Array]:
    first, second, third, fourth = rows
    even, apart = first + third, first - third
    odd = second + fourth
    turned = _quarter_turn(second - fourth)
    if fft.plan.inverse:
        return [even + odd, apart - turned, even - odd, apart + turned]
    return [even + odd, apart + turned, even - odd, apart - turned]


def _butterfly_5(fft: Transform, rows: Sequence[Array]) -> list[Array]:
    numbers = fft.numbers
    product = numbers.product
    near, far = fft.roots[:, fft.plan.points // 5], fft.roots[:, 2 * (fft.plan.points // 5)]
    first = rows[0]
    outer, inner = numbers.wrap(rows[1] + rows[4]), numbers.wrap(rows[2] + rows[3])
    outer_apart, inner_apart = numbers.wrap(rows[1] - rows[4]), numbers.wrap(rows[2] - rows[3])
    flat = first + product(outer, near[0]) + product(inner, far[0])
    turned = _quarter_turn(product(outer_apart, near[1]) + product(inner_apart, far[1]))
    flat_twice = first + product(outer, far[0]) + product(inner, near[0])
    turned_twice = _quarter_turn(product(inner_apart, near[1]) - product(outer_apart, far[1]))
    return [
        first + (outer + inner),
        flat - turned,
        flat_twice + turned_twice,
        flat_twice - turned_twice,
        flat + turned,
    ]


def _quarter_turn(values: Array) -> Array:
    """Values times -i."""
    return np.stack([values[1], -values[0]])


_BUTTERFLIES: dict[int, Callable[[Transform, Sequence[Array]], list[Array]]] = {
    2: _butterfly_2,
    3: _butterfly_3,
    4: _butterfly_4,
    5: _butterfly_5,
}
