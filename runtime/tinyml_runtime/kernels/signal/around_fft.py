"""SignalWindow and SignalFftAutoScale, which prepare samples for an FFT; SignalEnergy behind it.

Shapes    SignalWindow        input [..., length], weights [size], which divides the number of
                              elements -> output, shaped as the input
          SignalFftAutoScale  input [length] -> output [length], scale bits []
          SignalEnergy        input [2 * frequencies], pairs of real and imaginary part
                              -> output [frequencies]
Types     int16; scale bits int32; energy uint32
Units     the window is a fraction of 2**shift; scaled samples are 2**(scale bits) times the input;
          SignalEnergy leaves frequencies outside of start_index to end_index as they are (0)
Source    tflite-micro `signal/micro/kernels/{window,fft_auto_scale_kernel,energy}.cc`,
          `signal/src/{window,fft_auto_scale,max_abs,energy}.cc`
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.signal.options import check_shift, check_tensor, read_integers
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
    check_type,
)
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import TensorType

INPUT, WEIGHTS = 0, 1
OUTPUT, SCALE_BITS = 0, 1

INT16_MIN, INT16_MAX = -(2**15), 2**15 - 1

# Arrays without dimensions spare NumPy the conversion of numbers.
_SHIFTS = [np.array(shift, np.int16) for shift in range(16)]


@dataclass(frozen=True, slots=True)
class WindowData:
    """The window, widened (None where the run gives it), and whether products leave 16 bits."""

    stackable: bool
    size: int
    weights: Array | None
    shift: Array
    saturates: bool


@dataclass(frozen=True, slots=True)
class FrequencyData:
    """How many samples or frequencies there are, and of which ones there is an energy."""

    stackable: bool
    size: int
    energies: slice


def prepare_window(context: PrepareContext, node: Node) -> WindowData:
    """Check the operands; widen constant weights and see whether products can leave 16 bits."""
    check_counts(node, (2,))
    (shift,) = read_integers(node, "shift")
    check_shift(shift, "shift", 32)
    source, weights = context.input(node, INPUT), context.input(node, WEIGHTS)
    output = context.output(node, OUTPUT)
    check_type(source, "the input", TensorType.INT16)
    check_type(output, "the output", TensorType.INT16)
    check_tensor(weights, "the window", TensorType.INT16, 1)
    check(len(source.shape) >= 1, "the input is a scalar")
    check(
        weights.size > 0 and source.size % weights.size == 0,
        f"an input of {source.size} elements is no multiple of a window of {weights.size}",
    )
    check_shape(output, "the output", source.shape)
    if not weights.is_constant:
        return WindowData(False, weights.size, None, np.array(shift, np.int32), True)
    limits = [
        (sample * weight) >> shift
        for sample in (INT16_MIN, INT16_MAX)
        for weight in (int(weights.values.min()), int(weights.values.max()))
    ]
    return WindowData(
        stackable=not source.is_constant,
        size=weights.size,
        weights=weights.values.astype(np.int32),
        shift=np.array(shift, np.int32),
        saturates=min(limits) < INT16_MIN or max(limits) > INT16_MAX,
    )


def bind_window(context: EvalContext, node: Node, data: WindowData) -> Callable[[], None]:
    """Multiply, shift right, saturate."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    window = context.input(node, WEIGHTS).values
    # One signal is best without a second axis.
    shape = (-1, data.size) if source.size > data.size else (-1,)
    signals, windowed = source.reshape(shape), output.reshape(shape)
    products = np.empty(signals.shape, np.int32)

    def run() -> None:
        weights = window.astype(np.int32) if data.weights is None else data.weights
        products[...] = signals
        np.multiply(products, weights, products)
        np.right_shift(products, data.shift, products)
        if data.saturates:
            np.clip(products, INT16_MIN, INT16_MAX, out=products)
        windowed[...] = products

    return run


def prepare_auto_scale(context: PrepareContext, node: Node) -> FrequencyData:
    """Check the operands."""
    check_counts(node, (1,), 2)
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check_tensor(source, "the input", TensorType.INT16, 1)
    check_tensor(output, "the output", TensorType.INT16, 1)
    check_tensor(context.output(node, SCALE_BITS), "scale_bits", TensorType.INT32, 0)
    check_shape(output, "the output", source.shape)
    stackable = not source.is_constant and source.size > 0
    return FrequencyData(stackable, source.size, slice(0))


def bind_auto_scale(context: EvalContext, node: Node, data: FrequencyData) -> Callable[[], None]:
    """Shift each signal left until its largest sample has all of its 15 bits."""
    output = context.output(node, OUTPUT).values
    scale_bits = context.output(node, SCALE_BITS).values.reshape(-1)
    signals = context.input(node, INPUT).values.reshape(len(scale_bits), data.size)
    rows = list(zip(signals, output.reshape(signals.shape), strict=True)) if data.size else []
    magnitudes = np.empty(data.size, np.int16)
    # The magnitude of -32768 is a number of its own without a sign.
    unsigned = magnitudes.view(np.uint16)
    absolute, left_shift, largest, item = np.abs, np.left_shift, unsigned.argmax, unsigned.item

    def run() -> None:
        scale_bits.fill(0)
        for index, (signal, scaled) in enumerate(rows):
            absolute(signal, magnitudes)
            peak = item(largest())
            bits = peak.bit_length() if peak <= INT16_MAX else _bits_beside_lowest(signal)
            shift = INT16_MAX.bit_length() - bits if bits else 0
            scale_bits[index] = shift
            left_shift(signal, _SHIFTS[shift], scaled)

    return run


def _bits_beside_lowest(signal: Array) -> int:
    """Bits of what TFLM takes for the largest magnitude of a signal that has -32768 in it.

    TFLM keeps that magnitude in 16 bits, where it is -32768 again: from there on any sample counts
    as larger, with its sign, until one is larger by its magnitude. A negative result is no scaling.
    """
    largest = 0
    for sample in signal.tolist():
        if sample > largest:
            largest = sample
        elif -sample > largest:
            largest = -sample if sample > INT16_MIN else INT16_MIN
    return max(largest, 0).bit_length()


def prepare_energy(context: PrepareContext, node: Node) -> FrequencyData:
    """Check the operands and that the frequencies are there."""
    check_counts(node, (1,))
    end, start = read_integers(node, "end_index", "start_index")
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check_tensor(source, "the input", TensorType.INT16, 1)
    check_tensor(output, "the output", TensorType.UINT32, 1)
    check(
        source.size == 2 * output.size,
        f"the input has {source.size} parts; {output.size} frequencies have twice as many",
    )
    if start < end:
        check(
            start >= 0 and end <= output.size,
            f"frequencies {start} to {end} are not all among {output.size}",
        )
    energies = slice(start, end) if start < end else slice(0)
    return FrequencyData(
        stackable=not source.is_constant and output.size > 0, size=output.size, energies=energies
    )


def bind_energy(context: EvalContext, node: Node, data: FrequencyData) -> Callable[[], None]:
    """Square both parts and add them. Only (-32768, -32768) needs the 32nd bit."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    spectra = source.reshape(-1, data.size, 2)[:, data.energies].squeeze()
    energies = output.view(np.int32).reshape(-1, data.size)[:, data.energies].squeeze()
    squares = np.empty(spectra.shape, np.int32)
    real, imaginary = squares[..., 0], squares[..., 1]
    multiply, add = np.multiply, np.add

    def run() -> None:
        squares[...] = spectra
        multiply(squares, squares, squares)
        add(real, imaginary, energies)

    return run if data.energies.start is not None else lambda: None


def _stacks(data: WindowData | FrequencyData) -> bool:
    return data.stackable


SIGNAL_WINDOW = Registration("SignalWindow", prepare_window, BindingEvaluate(bind_window), _stacks)
SIGNAL_FFT_AUTO_SCALE = Registration(
    "SignalFftAutoScale", prepare_auto_scale, BindingEvaluate(bind_auto_scale), _stacks
)
SIGNAL_ENERGY = Registration("SignalEnergy", prepare_energy, BindingEvaluate(bind_energy), _stacks)
