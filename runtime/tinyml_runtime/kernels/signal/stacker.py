"""SignalStacker: the latest frames of channels as one.

Shapes    input [num_channels] -> output [(left + 1 + right) * num_channels], valid []
Types     int16; valid bool
State     the stack, and how many of its frames are new since the last output. The first frame
          stands for the left context too. TFLM does not write an output that is not valid; here it
          is the last valid one (zeros where there was none)
Source    tflite-micro `signal/micro/kernels/stacker.cc`, `signal/src/circular_buffer.cc`
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
)
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import TensorType

INPUT = 0
OUTPUT, VALID = 0, 1


@dataclass(slots=True)
class StackerData:
    """A stack [frames, channels] and the last one put out; all but the first three are state.

    `frames` of the stack are there; None before the first one.
    """

    left_context: int
    step: int
    stackable: bool
    stack: Array
    last: Array
    frames: int | None = None

    def push(self, frame: Array) -> bool:
        """Take one more frame; whether that completes a stack, which becomes the last one."""
        if self.frames is None:
            self.stack[...] = frame
            self.frames = self.left_context
        else:
            self.stack[:-1] = self.stack[1:]
            self.stack[-1] = frame
        self.frames += 1
        if self.frames < len(self.stack):
            return False
        self.frames -= self.step
        self.last[...] = self.stack
        return True


def prepare(context: PrepareContext, node: Node) -> StackerData:
    """Check the operands and that stacks move on, by no more frames than they hold."""
    check_counts(node, (1,), 2)
    channels, left, right, step = read_integers(
        node, "num_channels", "stacker_left_context", "stacker_right_context", "stacker_step"
    )
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check_tensor(source, "the input", TensorType.INT16, 1)
    check_tensor(output, "the output", TensorType.INT16, 1)
    check_tensor(context.output(node, VALID), "output_valid", TensorType.BOOL, 0)
    check(channels > 0, f"num_channels is {channels}")
    check(left >= 0 and right >= 0, f"the context is {left} frames before and {right} after")
    frames = left + 1 + right
    check(0 < step <= frames, f"a stack of {frames} frames cannot step by {step}")
    check_shape(source, "the input", (channels,))
    check_shape(output, "the output", (frames * channels,))
    stack = np.zeros((frames, channels), np.int16)
    return StackerData(left, step, not source.is_constant, stack, stack.copy())


def evaluate(context: EvalContext, node: Node, data: StackerData) -> None:
    """Push one frame after another."""
    valid = context.output(node, VALID).values.reshape(-1)
    frames = context.input(node, INPUT).values.reshape(len(valid), -1)
    stacks = context.output(node, OUTPUT).values.reshape(len(valid), *data.stack.shape)
    for index, frame in enumerate(frames):
        valid[index] = data.push(frame)
        stacks[index] = data.last


def _reset(data: StackerData) -> None:
    data.stack.fill(0)
    data.last.fill(0)
    data.frames = None


def _stacks(data: StackerData) -> bool:
    return data.stackable


SIGNAL_STACKER = Registration("SignalStacker", prepare, evaluate, _stacks, _reset)
