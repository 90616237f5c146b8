"""Interpreter: a model, a kernel library, memory for the tensors, and the loop over the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from tinyml_runtime.batches import Batch, Stacks
from tinyml_runtime.errors import ModelError, RunError, UnsupportedModelError
from tinyml_runtime.events import Listener
from tinyml_runtime.execution import SubgraphExecution, Surroundings
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.model.schema import Model
from tinyml_runtime.model_tensors import make_tensors
from tinyml_runtime.prepared_model import nodes_of, prepare_model
from tinyml_runtime.registration import EndOfInvocation, Node
from tinyml_runtime.resolver import OpResolver
from tinyml_runtime.tensor import Array, Tensor, copy_bytes
from tinyml_runtime.threads import processors
from tinyml_runtime.types import TensorType

if TYPE_CHECKING:
    from tinyml_runtime.arena_memory import ArenaMemory
    from tinyml_runtime.planning.arena_plan import ArenaPlan

DEFAULT_MEMORY_LIMIT_BYTES = 2**31
DEFAULT_MAX_NESTED_INVOCATIONS = 1_000_000


class Interpreter:
    """Runs a model as TensorFlow Lite Micro does.

    >>> from tinyml_runtime import Interpreter, load_model
    >>> interpreter = Interpreter(load_model("examples/sine.tflite"))
    >>> interpreter.allocate_tensors()
    >>> interpreter.set_input(interpreter.input(0))
    >>> interpreter.invoke()
    >>> interpreter.output(0).shape
    (1, 1)
    """

    def __init__(
        self,
        model: Model,
        library: str | KernelLibrary = "reference",
        *,
        listeners: Sequence[Listener] = (),
        memory_limit_bytes: int = DEFAULT_MEMORY_LIMIT_BYTES,
        max_nested_invocations: int = DEFAULT_MAX_NESTED_INVOCATIONS,
        arena_plan: ArenaPlan | None = None,
    ) -> None:
        """Take the kernels of `library`; `listeners` hear of every node that is evaluated.

        `max_nested_invocations` is how often, within one invocation of the model, its nodes may run
        other subgraphs (a loop takes two per turn, condition and body): a loop without end stops
        there.

        With `arena_plan` (a plan for this model) tensors lie where the plan puts them, as on the
        device, and share memory: set all inputs before every `invoke`, read outputs right after it.

        Raises:
            LibraryError: there is no such kernel library.
            ModelError: the model has no subgraph, or a constant's bytes do not fit its shape, or
                compressed constants need more memory than the limit.
            PlanError: the plan lets buffers overlap that are in use at the same time.
        """
        if not model.subgraphs:
            raise ModelError(model.source, "", "the model has no subgraph")
        self.model = model
        self.listeners = list(listeners)
        self.arena = None if arena_plan is None else _arena_memory(arena_plan)
        self._resolver = OpResolver.for_library(library)
        self._memory_limit_bytes = memory_limit_bytes
        self._max_nested_invocations = max_nested_invocations
        self._nested_invocations = 0
        self._tensors = make_tensors(model, memory_limit_bytes)
        self._executions: list[SubgraphExecution] = []
        main = model.subgraphs[0]
        self._inputs = [self._tensors[0][index] for index in main.inputs]
        self._outputs = [self._tensors[0][index] for index in main.outputs]

    @property
    def inputs(self) -> Sequence[Tensor]:
        """The model's input tensors."""
        return self._inputs

    @property
    def outputs(self) -> Sequence[Tensor]:
        """The model's output tensors."""
        return self._outputs

    @property
    def is_stateful(self) -> bool:
        """Whether an invocation can depend on the ones before it."""
        if self._has_variables:
            return True
        names = {code.name for code in self.model.operator_codes}
        kernels = [self._resolver.find(name) for name in names]
        return any(kernel is not None and kernel.reset is not None for kernel in kernels)

    def allocate_tensors(self) -> None:
        """Prepare every node and give memory to every tensor.

        Raises:
            UnsupportedModelError: nodes that cannot run, all of them.
            ModelError: the tensors would need more memory than the limit.
            PlanError: the arena plan is for another model.
        """
        self._check_memory()
        prepared = prepare_model(self.model, self._tensors, self._resolver)
        if prepared.problems:
            raise UnsupportedModelError(self.model.source, prepared.problems)
        for tensors in self._tensors:
            for tensor in tensors:
                if not tensor.is_constant:
                    tensor.values = np.zeros(tensor.values.shape, tensor.dtype)
        if self.arena is not None:
            self.arena.place(self._tensors)
        surroundings = Surroundings(self._invoke_subgraph, prepared.variables)
        self._executions = [
            SubgraphExecution(tensors, steps, surroundings)
            for tensors, steps in zip(self._tensors, prepared.steps, strict=True)
        ]
        self._stacks = Stacks(self._executions[0])
        self.reset()

    def reset(self) -> None:
        """Forget all state, as TFLM's Reset does.

        Variable tensors get their initial value: the zero point if they are INT8, else zero. What a
        CALL_ONCE has put into resource variables is lost too: it does not run again.
        """
        for execution in self._executions:
            execution.reset()
        for tensors in self._tensors:
            for tensor in tensors:
                if tensor.is_variable:
                    initial = tensor.zero_point if tensor.type is TensorType.INT8 else 0
                    tensor.values[...] = np.asarray(initial).astype(tensor.dtype)

    def set_input(self, array: Array, index: int = 0) -> None:
        """Copy `array`, of the tensor's dtype and shape, into input `index`; else ValueError."""
        tensor = self._input_tensor(index)
        if array.dtype != tensor.dtype or array.shape != tensor.shape:
            raise ValueError(
                f"input {index} ('{tensor.name}') takes {tensor.dtype}{list(tensor.shape)}, "
                f"not {array.dtype}{list(array.shape)}"
            )
        self._main()
        if tensor.is_constant:
            raise ValueError(f"input {index} ('{tensor.name}') is a constant of the file")
        tensor.values[...] = array

    def input(self, index: int = 0) -> Array:
        """The values of input `index`, to be written in place."""
        self._main()
        return self._input_tensor(index).values

    def invoke(self) -> None:
        """Run the model once. Raises RunError where its values make that impossible."""
        self._nested_invocations = 0
        with suppress(EndOfInvocation):
            self._main().run(self._all_listeners)

    def invoke_batch(self, inputs: Sequence[Array], *, threads: int | None = None) -> list[Array]:
        """Run many samples: inputs and outputs have one more axis in front, the samples.

        The same results as a loop over `set_input`, `invoke` and `output`, but faster where the
        model keeps no state: samples are evaluated several at once, on `threads` threads (default:
        the processors at hand). With state it is one thread; with variables, listeners, several
        subgraphs, an arena or a kernel that cannot take several samples in a row, it is that loop.
        Raises ValueError for inputs that do not fit.
        """
        samples = self._count_samples(inputs)
        outputs = [np.empty((samples, *t.shape), t.dtype) for t in self._outputs]
        if self._must_loop:
            for sample in range(samples):
                self._invoke_sample([array[sample] for array in inputs], outputs, sample)
        else:
            # One thread gives kernels that keep state the samples in their order.
            workers = 1 if self.is_stateful else threads or processors()
            main = self.model.subgraphs[0]
            self._stacks.invoke(Batch(inputs, outputs, samples), main, workers)
        return outputs

    def output(self, index: int = 0) -> Array:
        """A copy of the values of output `index`."""
        if not 0 <= index < len(self._outputs):
            raise ValueError(f"there is no output {index}: the model has {len(self._outputs)}")
        self._main()
        return self._outputs[index].values.copy()

    def tensor(self, index: int, subgraph: int = 0) -> Tensor:
        """Any tensor by its index in the file. After `invoke` it holds what was last written."""
        if not 0 <= subgraph < len(self._tensors):
            raise ValueError(f"there is no subgraph {subgraph}")
        if not 0 <= index < len(self._tensors[subgraph]):
            raise ValueError(f"there is no tensor {index} in subgraph {subgraph}")
        return self._tensors[subgraph][index]

    def nodes(self, subgraph: int = 0) -> list[Node]:
        """The nodes of a subgraph, in execution order."""
        return nodes_of(self.model, subgraph)

    @property
    def _has_variables(self) -> bool:
        return any(tensor.is_variable for tensors in self._tensors for tensor in tensors)

    @property
    def _all_listeners(self) -> Sequence[Listener]:
        return self.listeners if self.arena is None else [*self.listeners, self.arena]

    @property
    def _must_loop(self) -> bool:
        """Whether a batch can only be run sample by sample."""
        several = len(self.model.subgraphs) > 1 or bool(self._all_listeners)
        return several or self._has_variables or self._main().needs_single_samples

    def _main(self) -> SubgraphExecution:
        if not self._executions:
            raise ValueError("call allocate_tensors() first")
        return self._executions[0]

    def _input_tensor(self, index: int) -> Tensor:
        if not 0 <= index < len(self._inputs):
            raise ValueError(f"there is no input {index}: the model has {len(self._inputs)}")
        return self._inputs[index]

    def _check_memory(self) -> None:
        needed = sum(
            tensor.size * tensor.dtype.itemsize
            for tensors in self._tensors
            for tensor in tensors
            if not tensor.is_constant
        )
        if self.arena is not None:
            needed = max(needed, self.arena.size)
        if needed > self._memory_limit_bytes:
            reason = f"its tensors need {needed} bytes, the limit is {self._memory_limit_bytes}"
            raise ModelError(self.model.source, "", reason)

    def _invoke_subgraph(self, index: int, inputs: Sequence[Array]) -> list[Array]:
        self._nested_invocations += 1
        if self._nested_invocations > self._max_nested_invocations:
            raise RunError(
                f"nodes have run other subgraphs {self._max_nested_invocations} times in one "
                f"invocation, subgraph {index} was next: is there a loop without end? "
                "(max_nested_invocations sets this limit)"
            )
        graph, execution = self.model.subgraphs[index], self._executions[index]
        for tensor, array in zip(graph.inputs, inputs, strict=True):
            copy_bytes(array, execution.tensors[tensor].values)
        execution.run(self._all_listeners)
        return [execution.tensors[tensor].values.copy() for tensor in graph.outputs]

    def _count_samples(self, inputs: Sequence[Array]) -> int:
        if len(inputs) != len(self._inputs):
            raise ValueError(f"the model has {len(self._inputs)} inputs, not {len(inputs)}")
        for index, (array, tensor) in enumerate(zip(inputs, self._inputs, strict=True)):
            if tensor.is_constant:
                raise ValueError(f"input {index} ('{tensor.name}') is a constant of the file")
            if array.dtype != tensor.dtype or array.shape[1:] != tensor.shape or not array.ndim:
                raise ValueError(
                    f"input {index} ('{tensor.name}') takes samples of {tensor.dtype}"
                    f"{list(tensor.shape)}, not {array.dtype}{list(array.shape[1:])}"
                )
        counts = {array.shape[0] for array in inputs}
        if not counts:
            raise ValueError("the model has no inputs: there is nothing to make a batch of")
        if len(counts) != 1:
            raise ValueError(f"the inputs have different numbers of samples: {sorted(counts)}")
        return counts.pop()

    def _invoke_sample(self, inputs: Sequence[Array], outputs: list[Array], sample: int) -> None:
        for index, array in enumerate(inputs):
            self.set_input(array, index)
        self.invoke()
        for tensor, array in zip(self._outputs, outputs, strict=True):
            array[sample] = tensor.values


def _arena_memory(plan: ArenaPlan) -> ArenaMemory:
    from tinyml_runtime.arena_memory import ArenaMemory  # most runs have no use for a planner

    return ArenaMemory(plan)
