"""Many samples at once: stacked along the first axis of every tensor, and shared out to threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyml_runtime.execution import EvaluatingTensors, SubgraphExecution
from tinyml_runtime.model.schema import SubGraph
from tinyml_runtime.preparation import Call, Step
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.threads import run_on_threads

# Samples are stacked until the tensors of a stack take this much: more would leave the cache.
_STACK_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs and outputs of a number of samples, each with the samples as its first axis."""

    inputs: Sequence[Array]
    outputs: Sequence[Array]
    samples: int


class Stacks:
    """The stacks of a subgraph that are not in use: making one takes as long as some samples."""

    def __init__(self, execution: SubgraphExecution) -> None:
        """Keep stacks of `execution`; there are none yet."""
        self._execution = execution
        self._idle: list[StackedExecution] = []

    def take(self, samples: int) -> StackedExecution:
        """A stack for so many samples, an idle one if there is one."""
        for index, stack in enumerate(self._idle):
            if stack.samples == samples:
                return self._idle.pop(index)
        return StackedExecution(self._execution, samples)

    def give_back(self, used: Sequence[StackedExecution]) -> None:
        """Keep the stacks of a batch for the next one, and forget those that it had no use for."""
        self._idle = list(used)

    def invoke(self, batch: Batch, graph: SubGraph, threads: int) -> None:
        """Run all samples of a batch, in stacks that fit the cache, on `threads` threads."""
        moving = sum(t.values.nbytes for t in self._execution.tensors if not t.is_constant)
        size = min(max(1, _STACK_BYTES // max(1, moving)), -(-batch.samples // threads))
        starts = list(range(0, batch.samples, max(1, size)))
        shares = [starts[worker::threads] for worker in range(min(threads, len(starts)))]
        used: list[StackedExecution] = []

        def invoke_share(share: Sequence[int]) -> None:
            stack = None
            for start in share:
                count = min(size, batch.samples - start)
                if stack is None or stack.samples != count:
                    stack = self.take(count)
                    used.append(stack)
                _invoke_stack(stack, batch, graph, start)

        run_on_threads(invoke_share, shares)
        self.give_back(used)


def _invoke_stack(stack: StackedExecution, batch: Batch, graph: SubGraph, start: int) -> None:
    part = slice(start, start + stack.samples)
    for index, array in zip(graph.inputs, batch.inputs, strict=True):
        values = stack.tensors[index].values
        values[...] = array[part].reshape(values.shape)
    stack.run()
    for index, array in zip(graph.outputs, batch.outputs, strict=True):
        tensor = stack.tensors[index]
        results = array[part]
        # A constant stands once for all samples.
        constant = tensor.is_constant
        results[...] = tensor.values if constant else tensor.values.reshape(results.shape)


class StackedExecution:
    """A subgraph over `samples` samples at once: tensors hold them along the first axis."""

    def __init__(self, execution: SubgraphExecution, samples: int) -> None:
        """Give every tensor that is not a constant memory for all samples."""
        self.samples = samples
        self.tensors = [_stack(tensor, samples) for tensor in execution.tensors]
        together = EvaluatingTensors(self.tensors, execution.surroundings)
        lane = [_stack(tensor, 1) for tensor in execution.tensors]
        alone = EvaluatingTensors(lane, execution.surroundings)
        self._calls = [
            step.bind(together) if self._can_stack(step) else self._one_by_one(step, alone)
            for step in execution.steps
        ]

    def run(self) -> None:
        """Evaluate every node for all samples, in one go where its kernel can."""
        with np.errstate(all="ignore"):
            for call in self._calls:
                call()

    def _can_stack(self, step: Step) -> bool:
        # The samples of a tensor without elements cannot be told apart.
        used = (self.tensors[i] for i in (*step.node.inputs, *step.node.outputs) if i >= 0)
        return step.stacks and all(tensor.values.size for tensor in used)

    def _one_by_one(self, step: Step, lane: EvaluatingTensors) -> Call:
        """The node on one sample after another, each copied into the tensors of `lane` and out."""
        call = step.bind(lane)
        indices = {i for i in (*step.node.inputs, *step.node.outputs) if i >= 0}
        moving = [
            (tensor.values, self.tensors[index].values.reshape(self.samples, *tensor.shape))
            for index in indices
            if not (tensor := lane.tensors[index]).is_constant
        ]

        def run() -> None:
            for sample in range(self.samples):
                for values, samples in moving:
                    values[...] = samples[sample]
                call()
                for values, samples in moving:
                    samples[sample] = values

        return run


def _stack(tensor: Tensor, samples: int) -> Tensor:
    if tensor.is_constant:
        return tensor
    if samples == 1:
        return replace(tensor, values=np.zeros(tensor.values.shape, tensor.dtype))
    first, *rest = tensor.shape or (1,)
    return replace(tensor, values=np.zeros((first * samples, *rest), tensor.dtype))
