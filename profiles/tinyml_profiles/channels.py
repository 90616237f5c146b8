"""Which sizes of a graph are one and the same number of channels, and which are free to change.

A convolution's filters are channels of all that follows, up to the next layer that mixes channels.
Every last axis of a tensor, and every axis of weights and biases that counts channels, is a place;
places that have to agree are one group. A group is fixed where it is seen from outside (inputs,
outputs and variables of the model) or by an operator that is not listed here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TypeAlias

from tinyml_runtime.model.schema import Model, Operator, TensorInfo

# A tensor of the main subgraph, and one of its axes.
Place: TypeAlias = tuple[int, int]

_FILTER_UNITS = {"CONV_2D": 0, "FULLY_CONNECTED": 0, "DEPTHWISE_CONV_2D": 3}
_MIXING = ("CONV_2D", "FULLY_CONNECTED")
_ALIKE = frozenset(
    (
        "ABS",
        "ADD",
        "AVERAGE_POOL_2D",
        "DEQUANTIZE",
        "DIV",
        "ELU",
        "EXP",
        "HARD_SWISH",
        "L2_POOL_2D",
        "LEAKY_RELU",
        "LOGISTIC",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MINIMUM",
        "MUL",
        "NEG",
        "QUANTIZE",
        "RELU",
        "RELU6",
        "RELU_N1_TO_1",
        "RSQRT",
        "SOFTMAX",
        "SQRT",
        "SQUARE",
        "SQUARED_DIFFERENCE",
        "SUB",
        "TANH",
    )
)


@dataclass(slots=True)
class Channels:
    """Groups of places of a graph. Those with one of `filters` in them are numbers of channels.

    `flattened` are places that have so many times as many elements as there are channels in
    another: (the place, the one whose channels they are, times).
    """

    tensors: Sequence[TensorInfo]
    leaders: dict[Place, Place] = field(default_factory=dict[Place, Place])
    fixed: set[Place] = field(default_factory=set[Place])
    filters: set[Place] = field(default_factory=set[Place])
    flattened: list[tuple[Place, Place, int]] = field(
        default_factory=list[tuple[Place, Place, int]]
    )

    def group(self, place: Place) -> Place:
        """The place that stands for all that have to agree with this one."""
        while (leader := self.leaders.setdefault(place, place)) != place:
            self.leaders[place] = self.leaders[leader]  # the next walk is half as long
            place = leader
        return place

    def size(self, place: Place) -> int:
        """Elements along the axis."""
        return self.tensors[place[0]].shape[place[1]]

    def join(self, *places: Place) -> None:
        """Places that have to agree; where they do not, none of them is touched."""
        if len({self.size(place) for place in places}) > 1:
            self.fix(*places)
        for place in places[1:]:
            self.leaders[self.group(place)] = self.group(places[0])

    def fix(self, *places: Place) -> None:
        """Places whose sizes stay."""
        self.fixed.update(places)

    def last(self, tensor: int) -> Place:
        """The last axis of a tensor."""
        return tensor, len(self.tensors[tensor].shape) - 1

    def free(self) -> Mapping[Place, Sequence[Place]]:
        """The groups of channels whose number may change, with their places."""
        fixed = {self.group(place) for place in self.fixed}
        links = [(self.group(a), self.group(b)) for a, b, _ in self.flattened]
        several = Counter(whole for whole, _ in links)
        fixed |= {whole for whole, times in several.items() if times > 1}
        known = -1
        while known < len(fixed):
            known = len(fixed)
            for link in links:
                if not fixed.isdisjoint(link):
                    fixed.update(link)
        groups: dict[Place, list[Place]] = defaultdict(list)
        for place in list(self.leaders):
            groups[self.group(place)].append(place)
        counted = {self.group(place) for place in self.filters} | {whole for whole, _ in links}
        return {key: groups[key] for key in groups if key in counted and key not in fixed}


def find_channels(model: Model) -> Channels:
    """The groups of the main subgraph."""
    graph = model.subgraphs[0]
    found = Channels(graph.tensors)
    for operator in graph.operators:
        name = model.code(operator).name
        operands = [i for i in (*operator.inputs, *operator.outputs) if i >= 0]
        is_plain = all(graph.tensors[i].shape for i in operands)
        if name == "MEAN":
            is_plain = is_plain and _keeps_channels(model, operator)
        if not is_plain or not _connect(found, name, operator):
            found.fix(*(place for i in operands for place in _places(graph.tensors, i)))
    outside = [*graph.inputs, *graph.outputs]
    outside += [i for i, tensor in enumerate(graph.tensors) if tensor.is_variable]
    found.fix(*(place for i in outside for place in _places(graph.tensors, i)))
    return found


def _keeps_channels(model: Model, operator: Operator) -> bool:
    """Whether a mean is over other axes than the last."""
    source, axes = (model.subgraphs[0].tensors[i] for i in operator.inputs[:2])
    data = bytes(model.buffers[axes.buffer].data)
    rank = len(source.shape)
    return bool(data) and all((axis - rank) % rank != rank - 1 for axis in _int32s(data))


def _int32s(data: bytes) -> list[int]:
    return [
        int.from_bytes(data[start : start + 4], "little", signed=True)
        for start in range(0, len(data), 4)
    ]


def _places(tensors: Sequence[TensorInfo], index: int) -> Iterator[Place]:
    return ((index, axis) for axis in range(len(tensors[index].shape)))


def _connect(found: Channels, name: str, operator: Operator) -> bool:
    """Join what the operator joins; False for one that is not understood."""
    if not operator.inputs or not operator.outputs:
        return False
    inputs, output = operator.inputs, operator.outputs[0]
    if name in _FILTER_UNITS:
        return _connect_filters(found, name, inputs, output)
    if name in _ALIKE:
        for i in (i for i in inputs if i >= 0):
            for axis in range(1, 1 + min(len(found.tensors[k].shape) for k in (i, output))):
                ours, theirs = (len(found.tensors[k].shape) - axis for k in (output, i))
                if found.size((i, theirs)) != 1 or found.size((output, ours)) == 1:
                    found.join((output, ours), (i, theirs))
        return True
    if name in ("PAD", "MEAN"):
        found.join(found.last(output), found.last(inputs[0]))
        return found.size(found.last(output)) == found.size(found.last(inputs[0]))
    return name == "RESHAPE" and _connect_reshape(found, inputs[0], output)


def _connect_filters(found: Channels, name: str, inputs: Sequence[int], output: int) -> bool:
    source, weights = inputs[0], inputs[1]
    if len(found.tensors[weights].shape) != (2 if name == "FULLY_CONNECTED" else 4):
        return False
    units = weights, _FILTER_UNITS[name]
    biases = [(i, 0) for i in inputs[2:] if i >= 0]
    found.join(found.last(output), units, *biases)
    found.filters.add(units)
    if name in _MIXING:
        found.join(found.last(source), found.last(weights))
    elif found.size(found.last(source)) == found.size(units):
        found.join(found.last(source), units)
    else:
        found.fix(found.last(source))  # some outputs of each channel: as many as there are
    return True


def _connect_reshape(found: Channels, source: int, output: int) -> bool:
    """Channels stay the last axis, or are flattened with all that lies before them."""
    before, after = found.tensors[source].shape, found.tensors[output].shape
    if before[-1] == after[-1]:
        found.join(found.last(source), found.last(output))
        return True
    if after[-1] == prod(before[1:]) and prod(after) == prod(before):
        found.flattened.append((found.last(output), found.last(source), prod(before[1:-1])))
        return True
    return False
