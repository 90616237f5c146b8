"""SignalDelay and SignalFramer: samples of earlier invocations before the new ones.

Shapes    SignalDelay   input [..., length] -> output, shaped as the input
          SignalFramer  input [..., frames * frame_step] -> output [..., frames, frame_size],
                        valid []
Types     int16; valid bool
State     the samples that are still needed, and how many frames have to come before one is valid;
          TFLM does not write a frame before that, here it is zeros
Source    tflite-micro `signal/micro/kernels/{delay,framer}.cc`, `signal/src/circular_buffer.cc`
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.signal.options import check_tensor, read_integers
from tinyml_runtime.registration import (
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
OUTPUT, VALID = 0, 1

# What a delay may hold: far more than a microcontroller has.
MOST_DELAYED_SAMPLES = 2**24


@dataclass(slots=True)
class StreamData:
    """Several streams of samples, each with a past; `past` and `missing` are state.

    `missing` counts the frames that have to come before one is valid, `missing_first` at the start.
    """

    past: Array
    new_samples: int
    frame_size: int
    frame_step: int
    missing_first: int
    stackable: bool
    missing: int = 0

    def __post_init__(self) -> None:
        """Start without a past."""
        self.missing = self.missing_first

    def join(self, new: Array) -> tuple[Array, int]:
        """Past and new samples, [streams, samples], and the number of stacked inputs in `new`.

        The end of that becomes the past.
        """
        streams, length = self.past.shape
        inputs = new.reshape(-1, streams, self.new_samples)
        joined = np.concatenate([self.past, *inputs], axis=1)
        self.past[...] = joined[:, joined.shape[1] - length :]
        return joined, len(inputs)


def prepare_delay(context: PrepareContext, node: Node) -> StreamData:
    """Check the operands; start with `delay_length` zeros."""
    check_counts(node, (1,))
    (length,) = read_integers(node, "delay_length")
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    _check_samples(source, output)
    check_shape(output, "the output", source.shape)
    samples = source.shape[-1]
    streams = source.size // samples
    check(
        0 <= length <= MOST_DELAYED_SAMPLES // streams,
        f"a delay by {length} of {streams} signals; at most {MOST_DELAYED_SAMPLES} samples in all",
    )
    past = np.zeros((streams, length), np.int16)
    return StreamData(past, samples, samples, samples, 0, not source.is_constant)


def evaluate_delay(context: EvalContext, node: Node, data: StreamData) -> None:
    """Put out the oldest samples."""
    output = context.output(node, OUTPUT).values
    joined, inputs = data.join(context.input(node, INPUT).values)
    oldest = joined[:, : inputs * data.new_samples].reshape(len(joined), inputs, -1)
    output.reshape(inputs, len(joined), -1)[...] = oldest.swapaxes(0, 1)


def prepare_framer(context: PrepareContext, node: Node) -> StreamData:
    """Check the operands; see how much of the past a frame needs."""
    check_counts(node, (1,), 2)
    size, step, prefill = read_integers(node, "frame_size", "frame_step", "prefill")
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    _check_samples(source, output)
    check_tensor(context.output(node, VALID), "output_valid", TensorType.BOOL, 0)
    samples = source.shape[-1]
    check(
        size > 0 and 0 < step <= samples and samples % step == 0,
        f"frames of {size} at every {step} samples cannot be cut from {samples}",
    )
    check(not prefill or step <= size, f"frames of {size} at every {step} leave no prefill")
    check_shape(output, "the output", (*source.shape[:-1], samples // step, size))
    # Without prefill TFLM waits for whole steps, and a frame is the oldest part of them.
    steps = -(-size // step)
    waits_for = size if prefill else steps * step
    return StreamData(
        past=np.zeros((source.size // samples, waits_for - step), np.int16),
        new_samples=samples,
        frame_size=size,
        frame_step=step,
        missing_first=0 if prefill else steps - 1,
        stackable=not source.is_constant,
    )


def evaluate_framer(context: EvalContext, node: Node, data: StreamData) -> None:
    """Cut a frame at every step."""
    output, valid = context.output(node, OUTPUT).values, context.output(node, VALID).values
    joined, inputs = data.join(context.input(node, INPUT).values)
    streams, step = len(joined), data.frame_step
    frames = data.new_samples // step
    # Frames overlap, so this is a view of the samples and not an array of frames.
    views: Array = np.ndarray(
        (inputs, streams, frames, data.frame_size),
        joined.dtype,
        joined,
        strides=tuple(2 * n for n in (data.new_samples, joined.shape[1], step, 1)),
    )
    cut = output.reshape(views.shape)
    cut[...] = views
    valid.reshape(-1)[...] = np.arange(inputs) * frames >= data.missing
    if data.missing:
        missing = min(data.missing, inputs * frames)
        cut.swapaxes(1, 2)[np.divmod(np.arange(missing), frames)] = 0
        data.missing -= missing


def _check_samples(source: Tensor, output: Tensor) -> None:
    check_type(source, "the input", TensorType.INT16)
    check_type(output, "the output", TensorType.INT16)
    check(len(source.shape) > 0 and source.size > 0, f"the input has shape {list(source.shape)}")


def _reset(data: StreamData) -> None:
    data.past.fill(0)
    data.missing = data.missing_first


def _stacks(data: StreamData) -> bool:
    return data.stackable


SIGNAL_DELAY = Registration("SignalDelay", prepare_delay, evaluate_delay, _stacks, _reset)
SIGNAL_FRAMER = Registration("SignalFramer", prepare_framer, evaluate_framer, _stacks, _reset)
