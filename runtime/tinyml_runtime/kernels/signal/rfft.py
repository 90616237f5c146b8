"""SignalRfft: spectra of real signals; SignalIrfft: the real signals of spectra.

Shapes    SignalRfft  input [..., length <= fft_length] -> output [..., fft_length + 2]
          SignalIrfft input [..., fft_length + 2] -> output [..., fft_length]
          spectra are pairs of real and imaginary part, from frequency 0 to half the sampling rate
Types     int16, int32 as fractions; float32
Units     int16 and int32: the spectrum is divided by fft_length, and the inverse divides again;
          float32: only the inverse divides
Source    tflite-micro `signal/micro/kernels/{rfft,irfft}.cc`, `signal/src/{rfft,irfft}_*.cc`
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.signal.fast_fft import FastSpectra
from tinyml_runtime.kernels.signal.fast_fft_tables import FastTables, fast_tables
from tinyml_runtime.kernels.signal.fft import Transform, to_frequencies, to_samples, transform
from tinyml_runtime.kernels.signal.fft_plan import fft_plan, radices
from tinyml_runtime.kernels.signal.options import read_integers
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
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import TensorType

INPUT = 0
OUTPUT = 0

TYPES = (TensorType.INT16, TensorType.INT32, TensorType.FLOAT32)

# Tables grow with the transform; no front end comes near this one.
MAX_FFT_LENGTH = 2**18
# Samples that are transformed at once: more would leave the cache.
_BLOCK_SAMPLES = 2**14


@dataclass(frozen=True, slots=True)
class FftData:
    """A transform, and the length of one row of the input; `fast` where there is a fast way."""

    fft: Transform
    fast: FastTables | None
    input_length: int
    fft_length: int
    stackable: bool


def prepare_rfft(context: PrepareContext, node: Node) -> FftData:
    """Check the shapes and make the tables of the transform."""
    source, output, kind, fft_length = _operands(context, node)
    length = source.shape[-1]
    check(0 < length <= fft_length, f"signals of {length} samples for an FFT of {fft_length}")
    check_shape(output, "the output", (*source.shape[:-1], fft_length + 2))
    return _data(source, kind, fft_length, inverse=False)


def bind_rfft(context: EvalContext, node: Node, data: FftData) -> Callable[[], None]:
    """Pad each signal with zeros, transform it, put the parts of its spectrum side by side."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    signals = source.reshape(-1, data.input_length)
    spectra = output.reshape(-1, data.fft_length + 2)
    size = max(1, _BLOCK_SAMPLES // data.fft_length)
    starts = range(0, len(signals), size)
    blocks = [(signals[start : start + size], spectra[start : start + size]) for start in starts]
    constants = data.fast
    if constants is None:
        return partial(_transform_blocks, blocks, data)
    # All blocks but the last one are of one length.
    lengths = {len(block) for block, _ in (blocks[0], blocks[-1])}
    fast = {length: FastSpectra(constants, length) for length in lengths}
    transforms = [(fast[len(block[0])].bind(*block), block) for block in blocks]

    def run() -> None:
        for transform_block, block in transforms:
            if not transform_block():
                _transform_blocks([block], data)

    return run


def _transform_blocks(blocks: Sequence[tuple[Array, Array]], data: FftData) -> None:
    for signals, spectra in blocks:
        _transform_step_by_step(signals, spectra, data)


def _transform_step_by_step(signals: Array, spectra: Array, data: FftData) -> None:
    padded = np.zeros((len(signals), data.fft_length), signals.dtype)
    padded[:, : data.input_length] = signals
    parts = np.moveaxis(to_frequencies(data.fft, padded), 0, -1)
    spectra[...] = parts.reshape(spectra.shape)


def prepare_irfft(context: PrepareContext, node: Node) -> FftData:
    """Check the shapes and make the tables of the transform."""
    source, output, kind, fft_length = _operands(context, node)
    check_shape(source, "the input", (*source.shape[:-1], fft_length + 2))
    check_shape(output, "the output", (*source.shape[:-1], fft_length))
    return _data(source, kind, fft_length, inverse=True)


def evaluate_irfft(context: EvalContext, node: Node, data: FftData) -> None:
    """Transform each spectrum back; floating point divides by the number of samples."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    parts = source.reshape(-1, data.fft_length // 2 + 1, 2)
    signals = to_samples(data.fft, np.moveaxis(parts, -1, 0)).reshape(output.shape)
    if signals.dtype == np.float32:
        signals /= np.float32(data.fft_length)
    output[...] = signals


def _operands(context: PrepareContext, node: Node) -> tuple[Tensor, Tensor, TensorType, int]:
    """Input, output, element type and FFT length, which agree with each other."""
    check_counts(node, (1,))
    number, fft_length = read_integers(node, "T", "fft_length")
    kinds = {int(kind): kind for kind in TYPES}
    check(number in kinds, f"option T is {number}, which is no element type of an FFT")
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check_type(source, "the input", kinds[number])
    check_type(output, "the output", kinds[number])
    check(len(source.shape) > 0 and source.size > 0, f"the input has shape {list(source.shape)}")
    check(fft_length % 2 == 0, f"fft_length {fft_length} is not even")
    check(
        4 <= fft_length <= MAX_FFT_LENGTH,
        f"fft_length {fft_length} is not between 4 and {MAX_FFT_LENGTH}",
    )
    check(
        radices(fft_length // 2) is not None,
        f"fft_length {fft_length} is no product of the factors 2, 3 and 5",
    )
    return source, output, kinds[number], fft_length


def _data(source: Tensor, kind: TensorType, fft_length: int, *, inverse: bool) -> FftData:
    fft = transform(fft_plan(fft_length // 2, inverse), kind)
    return FftData(
        fft=fft,
        fast=fast_tables(fft) if kind is TensorType.INT16 and not inverse else None,
        input_length=source.shape[-1],
        fft_length=fft_length,
        stackable=not source.is_constant,
    )


def _stacks(data: FftData) -> bool:
    return data.stackable


SIGNAL_RFFT = Registration("SignalRfft", prepare_rfft, BindingEvaluate(bind_rfft), stacks=_stacks)
SIGNAL_IRFFT = Registration("SignalIrfft", prepare_irfft, evaluate_irfft, stacks=_stacks)
