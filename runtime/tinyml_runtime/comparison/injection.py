"""What operators make of the other side's values, each by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinyml_runtime.comparison.cutting import Cut, Port, cut_nodes
from tinyml_runtime.comparison.oracles import LibrarySide, Side, in_form
from tinyml_runtime.comparison.watched import overwritten, stateful_nodes
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.model.schema import Model
from tinyml_runtime.tensor import Array, Tensor


class Injection:
    """All operators of a model, cut apart, on the values that another side has between them."""

    def __init__(
        self,
        model: Model,
        library: str | KernelLibrary,
        watched: Sequence[int],
        theirs: Side,
        *,
        reset_between: bool,
    ) -> None:
        """`theirs` watches the tensors `watched`.

        A node that cannot be prepared by itself is left out.
        """
        self._cut, self._side = _prepare(model, library, reset_between=reset_between)
        self._ours = dict(zip(self._cut.inputs, self._side.inputs, strict=True))
        self._forms = dict(zip(watched, theirs.forms, strict=True))
        self._watched = watched
        self._lost = overwritten(model)
        self._stateful = set[int]() if reset_between else stateful_nodes(model)
        self._samples = 0

    def given(
        self, inputs: Mapping[int, Array], theirs: Sequence[Array | None]
    ) -> dict[Port, Array | None]:
        """The values [samples, *shape] of every input of every operator, in our form.

        `inputs` are those of the model, `theirs` the values of the watched tensors on the other
        side. None stands for what that side does not give.
        """
        values = dict(zip(self._watched, theirs, strict=True))
        found: dict[Port, Array | None] = {}
        for port, tensor in self._ours.items():
            array, form = values.get(port.tensor), self._forms.get(port.tensor)
            if port.tensor in self._lost:
                found[port] = None
                continue
            if port.tensor in inputs:
                array, form = inputs[port.tensor], tensor
            found[port] = None if array is None or form is None else in_form(array, form, tensor)
        return found

    def run(self, given: Mapping[Port, Array | None], samples: int) -> dict[Port, Array]:
        """What each operator makes of its inputs; those of operators that lack one are missing."""
        lacking = {port.node for port, array in given.items() if array is None}
        feeds = [
            _zeros(self._ours[port], samples) if (array := given[port]) is None else array
            for port in self._cut.inputs
        ]
        results = zip(self._cut.outputs, self._side.run(feeds), strict=True)
        self._samples += samples
        return {
            port: array for port, array in results if array is not None and port.node not in lacking
        }

    def is_whole_input(self, node: int, sample: int, samples: int) -> bool:
        """Whether a node's inputs are all there is to a sample of the last run of `samples`.

        Nodes that keep state have something from the samples before.
        """
        return node not in self._stateful or self._samples - samples + sample == 0


def _prepare(
    model: Model, library: str | KernelLibrary, *, reset_between: bool
) -> tuple[Cut, LibrarySide]:
    nodes = [*range(len(model.subgraphs[0].operators))]
    while True:
        cut = cut_nodes(model, nodes)
        outputs = cut.model.subgraphs[0].outputs
        try:
            return cut, LibrarySide(cut.model, library, outputs, reset_between=reset_between)
        except UnsupportedModelError as error:
            failing = {problem.index for problem in error.problems if not problem.subgraph}
            if not failing:
                raise
            nodes = [node for place, node in enumerate(nodes) if place not in failing]


def _zeros(tensor: Tensor, samples: int) -> Array:
    return np.zeros((samples, *tensor.shape), tensor.dtype)
