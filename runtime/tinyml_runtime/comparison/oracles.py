"""Whoever computes a side of a comparison: a kernel library, a foreign runtime, another model.

One protocol: a side watches tensors of the model that is compared, and gives their values for
samples of its inputs, in the order of the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from tinyml_runtime.comparison.foreign import (
    DEFAULT_SECONDS,
    FOREIGN_RUNTIMES,
    ForeignProcess,
    ForeignRuntimeError,
)
from tinyml_runtime.comparison.matching import Matching
from tinyml_runtime.comparison.metrics import is_same_form, real_values, stored_values
from tinyml_runtime.errors import RunError
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.memory.offline_plan import METADATA as OFFLINE_PLAN
from tinyml_runtime.model.schema import Model
from tinyml_runtime.model.write import write_model
from tinyml_runtime.tensor import Array, Tensor

# The wheel keeps all tensors apart and records every allocation.
_ARENA_BYTES, _ARENA_TIMES = 64 << 20, 4
_LARGEST_ARENA_BYTES = 2**31 - 1


class Side(Protocol):
    """One side of a comparison."""

    @property
    def forms(self) -> Sequence[Tensor | None]:
        """Type, shape and quantization of each watched tensor; None for what it does not have."""
        ...

    def run(self, inputs: Sequence[Array]) -> list[Array | None]:
        """Values [samples, *shape] of each watched tensor for inputs [samples, *shape].

        `inputs` are those of the compared model that are no constants. None stands for a tensor
        that it cannot give.
        """
        ...

    def close(self) -> None:
        """End what it has started."""
        ...


class LibrarySide:
    """A kernel library of ours."""

    def __init__(
        self,
        model: Model,
        library: str | KernelLibrary,
        watched: Sequence[int],
        *,
        reset_between: bool = False,
    ) -> None:
        """Prepare the model; raises TinymlError where that cannot be."""
        graph = model.subgraphs[0]
        given = [tensor for tensor in Interpreter(model, library).inputs if not tensor.is_constant]
        fed = replace(graph, inputs=tuple(tensor.index for tensor in given), outputs=tuple(watched))
        self._interpreter = Interpreter(
            replace(model, subgraphs=(fed, *model.subgraphs[1:])), library
        )
        self._interpreter.allocate_tensors()
        self._source = model.source
        self._reset_between = reset_between
        self.forms: Sequence[Tensor] = self._interpreter.outputs

    @property
    def inputs(self) -> Sequence[Tensor]:
        """The inputs that are no constants."""
        return self._interpreter.inputs

    @property
    def is_stateful(self) -> bool:
        """Whether a sample can depend on those before it."""
        return self._interpreter.is_stateful

    def run(self, inputs: Sequence[Array]) -> list[Array | None]:
        """As the protocol says; raises RunError where values make a run impossible."""
        try:
            if self._reset_between and inputs:
                return self._afresh(inputs)
            return [*self._invoke(inputs)]
        except RunError as error:
            raise RunError(f"{self._source}: {error}") from None

    def close(self) -> None:
        """Nothing has been started."""

    def _afresh(self, inputs: Sequence[Array]) -> list[Array | None]:
        rows: list[list[Array]] = []
        for sample in range(len(inputs[0])):
            self._interpreter.reset()
            rows.append(self._invoke([array[sample : sample + 1] for array in inputs]))
        return [np.concatenate(column) for column in zip(*rows, strict=True)]

    def _invoke(self, inputs: Sequence[Array]) -> list[Array]:
        if inputs:
            return self._interpreter.invoke_batch(inputs)
        self._interpreter.invoke()
        return [self._interpreter.output(k)[np.newaxis] for k in range(len(self.forms))]


class ForeignSide:
    """A foreign runtime in a process of its own."""

    def __init__(
        self,
        model: Model,
        content: bytes,
        name: str,
        forms: Sequence[Tensor],
        *,
        only_outputs: bool,
        reset_between: bool = False,
        seconds: int = DEFAULT_SECONDS,
    ) -> None:
        """Load the model; `forms` are our watched tensors, with `only_outputs` the model's own.

        Raises InputError where the runtime is not installed, ForeignRuntimeError where it refuses.
        """
        FOREIGN_RUNTIMES[name].check_installed()
        self.forms = forms
        self._reset_between = reset_between
        tensors = Interpreter(model).inputs
        self._constants = {
            index: tensor.values for index, tensor in enumerate(tensors) if tensor.is_constant
        }
        self._inputs = len(tensors)
        self._process = ForeignProcess(name, seconds)
        outputs, watched = model.subgraphs[0].outputs, [tensor.index for tensor in forms]
        # A tensor may be several outputs.
        self._places = [outputs.index(i) if only_outputs else k for k, i in enumerate(watched)]
        if not only_outputs:
            content = _without_plan(model, content)
        asked = None if only_outputs else watched
        try:
            self._process.load(content, asked, len(outputs), _arena_bytes(model))
        except ForeignRuntimeError:
            self.close()
            raise

    def run(self, inputs: Sequence[Array]) -> list[Array | None]:
        """As the protocol says; raises ForeignRuntimeError where the process refuses or ends."""
        given = iter(inputs)
        samples = len(inputs[0]) if inputs else 1
        every = [
            np.broadcast_to(constant, (samples, *constant.shape))
            if (constant := self._constants.get(index)) is not None
            else next(given)
            for index in range(self._inputs)
        ]
        results = self._process.run(every, reset=self._reset_between)
        pairs = zip(self._places, self.forms, strict=True)
        return [_as(results[place], form, samples) for place, form in pairs]

    def close(self) -> None:
        """End the process."""
        self._process.close()


class ModelSide:
    """Another model, whose tensors are matched with those that are watched."""

    def __init__(
        self, matching: Matching, library: str | KernelLibrary, *, reset_between: bool = False
    ) -> None:
        """Prepare the other model; raises TinymlError where that cannot be."""
        self._matching = matching
        watched = [index for index in matching.watched if index is not None]
        self._side = LibrarySide(matching.model, library, watched, reset_between=reset_between)
        forms = iter(self._side.forms)
        self.forms = [None if index is None else next(forms) for index in matching.watched]

    def run(self, inputs: Sequence[Array]) -> list[Array | None]:
        """As the protocol says; inputs become those of the other model by their real values."""
        arrays = [
            in_form(inputs[place], self._matching.inputs[place], form)
            for place, form in zip(self._matching.input_places, self._side.inputs, strict=True)
        ]
        results = iter(self._side.run(arrays))
        return [None if form is None else next(results) for form in self.forms]

    def close(self) -> None:
        """Nothing has been started."""


def in_form(values: Array, given: Tensor, wanted: Tensor) -> Array:
    """Values [samples, *shape] of one tensor as another stores them: the same real values."""
    shape = (len(values), *wanted.shape)
    if is_same_form(given, wanted):
        return values.reshape(shape)
    return stored_values(real_values(values, given), wanted).reshape(shape)


def _as(array: Array | None, form: Tensor, samples: int) -> Array | None:
    """A foreign array in the shape that the file gives; None where it is something else."""
    if array is None or array.dtype != form.dtype or array.size != samples * form.size:
        return None
    return array.reshape(samples, *form.shape)


def _without_plan(model: Model, content: bytes) -> bytes:
    """The file without an offline plan: that lays tensors over each other which are all kept."""
    kept = tuple(entry for entry in model.metadata if entry.name != OFFLINE_PLAN)
    if len(kept) == len(model.metadata):
        return content
    return write_model(replace(model, metadata=kept))


def _arena_bytes(model: Model) -> int:
    tensors = sum(max(0, info.elements) * 8 for graph in model.subgraphs for info in graph.tensors)
    return min(_ARENA_BYTES + _ARENA_TIMES * tensors, _LARGEST_ARENA_BYTES)
