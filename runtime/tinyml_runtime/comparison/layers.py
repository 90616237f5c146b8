"""Two sides of a model, operator by operator.

Inherited  the two runs as they went: what an operator got from those before it is in there
Injected   the operator alone: our kernel on the very inputs that the other side's operator had,
           beside what that one made of them
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.comparison.cutting import Port
from tinyml_runtime.comparison.examination import Examination, Example, FindCauses, Findings
from tinyml_runtime.comparison.injection import Injection
from tinyml_runtime.comparison.metrics import Difference, DifferenceMeter
from tinyml_runtime.comparison.oracles import Side
from tinyml_runtime.comparison.watched import Watched
from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Array, Tensor


@dataclass(frozen=True, slots=True)
class LayerComparison:
    """An output of an operator; None where the other side does not give what it would take.

    `tensor` is ours, `theirs` the other side's; `findings` are those of the operator, with all its
    outputs.
    """

    node: Node
    tensor: Tensor
    inherited: Difference | None
    injected: Difference | None
    findings: Findings | None = None
    theirs: Tensor | None = None

    @property
    def is_beside_floats(self) -> bool:
        """Whether the other side has floats where ours has whole numbers."""
        has_floats = self.theirs is not None and self.theirs.dtype.kind == "f"
        return has_floats and self.tensor.dtype.kind in "iu"

    def injects(self, relative: float) -> bool:
        """Whether the operator itself differs: in any step, or in floats beyond `relative`."""
        return self.injected is not None and not self.injected.is_within(0, relative)


class _Layer:
    """The meters of one output of an operator."""

    def __init__(self, node: Node, index: int, ours: Tensor, theirs: Tensor | None) -> None:
        self.node, self.index, self.tensor, self.theirs = node, index, ours, theirs
        self.inherited = self.injected = None
        if theirs is not None and theirs.size == ours.size:
            self.inherited = DifferenceMeter(ours, theirs)
            self.injected = DifferenceMeter(ours, theirs)

    def result(self, findings: Findings | None) -> LayerComparison:
        inherited, injected = _result(self.inherited), _result(self.injected)
        return LayerComparison(self.node, self.tensor, inherited, injected, findings, self.theirs)


class LayerMeters:
    """All operators of the main subgraph, some samples at a time."""

    def __init__(
        self,
        watched: Watched,
        sides: tuple[Side, Side],
        injection: Injection,
        find: FindCauses | None,
    ) -> None:
        """Both sides, ours first, watch `watched`; `find` explains what operators inject."""
        ours, theirs = sides
        self._places = {index: place for place, index in enumerate(watched.tensors)}
        self._injection = injection
        self._layers: list[_Layer] = []
        for node, index in watched.layers:
            form = ours.forms[self._places[index]]
            assert form is not None  # what we watch, we have
            self._layers.append(_Layer(node, index, form, theirs.forms[self._places[index]]))
        self._examinations: defaultdict[int, Examination] = defaultdict(lambda: Examination(find))

    def add(
        self,
        inputs: Mapping[int, Array],
        ours: Sequence[Array | None],
        theirs: Sequence[Array | None],
        samples: int,
    ) -> None:
        """Count some samples: the model's inputs by tensor, and what each side watched."""
        given = self._injection.given(inputs, theirs)
        alone = self._injection.run(given, samples)
        wrong: dict[int, Array] = {}
        for layer in self._layers:
            other = theirs[self._places[layer.index]]
            _add(layer.inherited, ours[self._places[layer.index]], other)
            found = _add(layer.injected, alone.get(Port(layer.node.index, layer.index)), other)
            if found is not None and found.any():
                wrong[layer.node.index] = wrong.get(layer.node.index, 0) + found
        for layer in self._layers:
            if layer.node.index in wrong:
                self._examine(layer.node, wrong.pop(layer.node.index), given, alone, theirs)

    def results(self) -> list[LayerComparison]:
        """Every output of every operator, over all samples."""
        findings = {index: one.result() for index, one in self._examinations.items()}
        return [layer.result(findings.get(layer.node.index)) for layer in self._layers]

    def _examine(
        self,
        node: Node,
        wrong: Array,
        given: Mapping[Port, Array | None],
        alone: Mapping[Port, Array],
        theirs: Sequence[Array | None],
    ) -> None:
        made = [index for index in node.outputs if index >= 0]
        mine = [alone.get(Port(node.index, index)) for index in made]
        other = [theirs[self._places[i]] if i in self._places else None for i in made]
        if any(array is None for array in (*mine, *other)):
            return
        examination = self._examinations[node.index]
        for sample in np.flatnonzero(wrong).tolist():
            if examination.is_done:
                return
            if not self._injection.is_whole_input(node.index, sample, len(wrong)):
                continue
            example = Example(
                node.index,
                [_sample(given.get(Port(node.index, index)), sample) for index in node.inputs],
                _samples(mine, sample),
                _samples(other, sample),
            )
            examination.add(example, int(wrong[sample]))


def _add(meter: DifferenceMeter | None, ours: Array | None, theirs: Array | None) -> Array | None:
    if meter is None or ours is None or theirs is None:
        return None
    return meter.add(ours, theirs)


def _result(meter: DifferenceMeter | None) -> Difference | None:
    return None if meter is None or meter.is_empty else meter.result()


def _sample(array: Array | None, sample: int) -> Array | None:
    return None if array is None else array[sample]


def _samples(arrays: Sequence[Array | None], sample: int) -> list[Array]:
    return [array[sample] for array in arrays if array is not None]
