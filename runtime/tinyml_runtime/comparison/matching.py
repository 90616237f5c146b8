"""Which tensor of another model corresponds to a tensor of this one.

By name and shape first; what is left, by position: the k-th output of the k-th operator of its
kind, where both models have as many of that kind and the shapes agree. Inputs and outputs of the
model go by name, else by their places.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_runtime.errors import InputError
from tinyml_runtime.interpreter import DEFAULT_MEMORY_LIMIT_BYTES
from tinyml_runtime.model.schema import Model, SubGraph
from tinyml_runtime.model_tensors import make_tensors
from tinyml_runtime.tensor import Tensor


@dataclass(frozen=True, slots=True)
class Matching:
    """The other model, seen from ours.

    `watched` has its tensor for each tensor of ours that is watched (None: it has none), `inputs`
    our inputs that are no constants, `input_places` which of these each input of the other model
    takes. `by_name` and `by_position` count how watched tensors were found.
    """

    model: Model
    watched: Sequence[int | None]
    inputs: Sequence[Tensor]
    input_places: Sequence[int]
    by_name: int
    by_position: int

    @property
    def words(self) -> str:
        """How tensors were matched."""
        text = f"tensors of {self.model.source} were matched: {self.by_name} by name and shape"
        text += f", {self.by_position} by position"
        unmatched = len(self.watched) - self.by_name - self.by_position
        return f"{text}; {unmatched} have no counterpart" if unmatched else text


def match_models(ours: Model, theirs: Model, watched: Sequence[int]) -> Matching:
    """Match tensors; InputError where inputs or outputs of the models do not correspond."""
    mine, other = (_tensors(model) for model in (ours, theirs))
    graph, their_graph = ours.subgraphs[0], theirs.subgraphs[0]
    inputs = [mine[i] for i in graph.inputs if not mine[i].is_constant]
    their_inputs = [other[i] for i in their_graph.inputs if not other[i].is_constant]
    places = _match_ports("input", ours, theirs, (inputs, their_inputs))
    outputs = [mine[i] for i in graph.outputs]
    their_outputs = [other[i] for i in their_graph.outputs]
    output_places = _match_ports("output", ours, theirs, (outputs, their_outputs))
    ports = {their_outputs[k].index: outputs[p].index for k, p in enumerate(output_places)}
    certain = {mine_index: index for index, mine_index in ports.items()}
    named = _by_name(mine, other, watched)
    placed = _by_position(ours, theirs, mine, other)
    found = [certain.get(i, named.get(i, placed.get(i))) for i in watched]
    pairs = zip(watched, found, strict=True)
    by_name = sum(partner is not None and named.get(index) == partner for index, partner in pairs)
    matched = sum(index is not None for index in found)
    return Matching(theirs, found, inputs, places, by_name, matched - by_name)


def _tensors(model: Model) -> Sequence[Tensor]:
    return make_tensors(model, DEFAULT_MEMORY_LIMIT_BYTES)[0]


def _match_ports(
    kind: str, ours: Model, theirs: Model, ports: tuple[Sequence[Tensor], Sequence[Tensor]]
) -> list[int]:
    """For each port of theirs the place of ours: by name if all have one, else in order."""
    mine, other = ports
    if len(mine) != len(other):
        counts = f"{kind}s: {len(mine)} in {ours.source}, {len(other)} in {theirs.source}"
        raise InputError(f"the models have different {counts}; they cannot be compared")
    names = [tensor.name for tensor in mine]
    is_named = len(set(names)) == len(names) and sorted(names) == sorted(t.name for t in other)
    places = [names.index(t.name) for t in other] if is_named else [*range(len(mine))]
    for place, tensor in zip(places, other, strict=True):
        if _lengths(mine[place]) != _lengths(tensor):
            raise InputError(
                f"{kind} {place} ('{mine[place].name}') of {ours.source} has shape "
                f"{list(mine[place].shape)}, in {theirs.source} it has {list(tensor.shape)}: "
                "they cannot be compared"
            )
    return places


def _lengths(tensor: Tensor) -> list[int]:
    """The shape; dimensions of 1 do not matter."""
    return [length for length in tensor.shape if length != 1]


def _by_name(
    mine: Sequence[Tensor], other: Sequence[Tensor], watched: Sequence[int]
) -> dict[int, int]:
    """Tensors with a name that is theirs alone, and the same shape."""
    named: dict[str, list[int]] = defaultdict(list)
    for tensor in other:
        if tensor.name and not tensor.is_constant:
            named[tensor.name].append(tensor.index)
    pairs = ((index, named.get(mine[index].name, [])) for index in watched)
    return {
        index: found[0]
        for index, found in pairs
        if len(found) == 1 and other[found[0]].shape == mine[index].shape
    }


def _by_position(
    ours: Model, theirs: Model, mine: Sequence[Tensor], other: Sequence[Tensor]
) -> dict[int, int]:
    """Outputs of operators that are the k-th of their kind in both models."""
    kinds, their_kinds = _kinds(ours), _kinds(theirs)
    found: dict[int, int] = {}
    for name, outputs in kinds.items():
        partners = their_kinds.get(name, [])
        if len(partners) != len(outputs):
            continue
        for index, partner in zip(outputs, partners, strict=True):
            if mine[index].shape == other[partner].shape:
                found[index] = partner
    return found


def _kinds(model: Model) -> dict[str, list[int]]:
    graph: SubGraph = model.subgraphs[0]
    kinds: dict[str, list[int]] = defaultdict(list)
    for operator in graph.operators:
        for position, index in enumerate(operator.outputs):
            if index >= 0:
                kinds[f"{model.code(operator).name} {position}"].append(index)
    return kinds
