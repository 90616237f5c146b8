"""Invoking a model on one sample, repeatedly for the time, or on many samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import NamedTuple, TypeAlias

import numpy as np

from tinyml_cli.running.report import TracedNode
from tinyml_cli.running.trace import Trace
from tinyml_runtime import Array, InputError, Interpreter

# Called with the samples that are done and the samples that there are.
OnProgress: TypeAlias = Callable[[int, int], None]

_FIRST_PART = 32
# Long enough to stack many samples, short enough to show progress and to hear Ctrl-C.
_PART_SECONDS = 0.25


class ExecutionOptions(NamedTuple):
    """How a model is invoked."""

    repeat: int = 1
    trace: bool = False
    reset_between: bool = False


class Execution(NamedTuple):
    """Outputs as [samples, *shape], the median host time of an invoke, the trace if asked for."""

    outputs: Sequence[Array]
    invoke_ms: float
    timed_invokes: int
    trace: Sequence[TracedNode] | None


def execute(
    interpreter: Interpreter,
    inputs: Sequence[Array],
    samples: int,
    options: ExecutionOptions,
    on_progress: OnProgress,
) -> Execution:
    """Invoke the model on `inputs`, each [samples, *shape]."""
    if samples > 1 and options.repeat > 1:
        raise InputError("--repeat is for one sample; many samples are timed as they are")
    if samples > 1 and any(tensor.is_constant for tensor in interpreter.inputs):
        raise InputError("an input of the model is a constant: give one sample at a time")
    trace = Trace()
    if options.trace:
        interpreter.listeners.append(trace)
    if samples == 1:
        outputs, seconds = _invoke_once(interpreter, [array[0] for array in inputs], options.repeat)
    else:
        outputs, seconds = _invoke_many(interpreter, inputs, samples, options, on_progress)
    if options.trace:
        # Listening takes longer than many a node: only the nodes themselves count.
        seconds = [trace.seconds / len(seconds)] * len(seconds)
    traced = trace.nodes() if options.trace else None
    return Execution(outputs, _median(seconds) * 1e3, len(seconds), traced)


def _invoke_once(
    interpreter: Interpreter, inputs: Sequence[Array], repeat: int
) -> tuple[list[Array], list[float]]:
    """Outputs of the first invocation, and the time of each."""
    _set_inputs(interpreter, inputs)
    seconds = [_timed(interpreter.invoke)]
    outputs = [interpreter.output(index)[np.newaxis] for index in range(len(interpreter.outputs))]
    for _ in range(repeat - 1):
        # Inside an arena an invocation may have used the memory of its inputs.
        _set_inputs(interpreter, inputs)
        seconds.append(_timed(interpreter.invoke))
    return outputs, seconds


def _set_inputs(interpreter: Interpreter, inputs: Sequence[Array]) -> None:
    for index, array in enumerate(inputs):
        if not interpreter.inputs[index].is_constant:
            interpreter.set_input(array, index)


def _invoke_many(
    interpreter: Interpreter,
    inputs: Sequence[Array],
    samples: int,
    options: ExecutionOptions,
    on_progress: OnProgress,
) -> tuple[list[Array], list[float]]:
    """Outputs of all samples, and for each sample its share of the time."""
    outputs = [np.empty((samples, *t.shape), t.dtype) for t in interpreter.outputs]
    seconds: list[float] = []
    size = 1 if options.reset_between else _FIRST_PART
    while len(seconds) < samples:
        on_progress(len(seconds), samples)
        if options.reset_between:
            interpreter.reset()
        part = slice(len(seconds), min(len(seconds) + size, samples))
        start = perf_counter()
        results = interpreter.invoke_batch([array[part] for array in inputs])
        elapsed = perf_counter() - start
        for output, result in zip(outputs, results, strict=True):
            output[part] = result
        seconds.extend([elapsed / (part.stop - part.start)] * (part.stop - part.start))
        if size > 1 and elapsed < _PART_SECONDS:
            size *= 2
    on_progress(samples, samples)
    return outputs, seconds


def _median(values: Sequence[float]) -> float:
    # np.median imports numpy.ma, which takes longer than many a model.
    middle = sorted(values)[(len(values) - 1) // 2 : len(values) // 2 + 1]
    return sum(middle) / len(middle)


def _timed(action: Callable[[], None]) -> float:
    start = perf_counter()
    action()
    return perf_counter() - start
