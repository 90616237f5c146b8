"""What a conformance case is, and `grid`, which makes the cases of a row of a table."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from tests.conformance.tolerances import PROMISE, Tolerance
from tests.support.single_op import Operand, SingleOp, random_values
from tinyml_runtime.model.schema import Model, Operator, TensorInfo
from tinyml_runtime.model.write import write_model
from tinyml_runtime.tensor import Array, dtype_of

Settings = Mapping[str, Any]
Limits = Mapping[int, tuple[float, float]]
Steps = Sequence[Sequence[Array]]
# Four and more of the same type.
_RUN = re.compile(r"\b(\w+)(?: \1\b){3,}")
# Arguments that the types of a case tell already.
_TOLD_BY_TYPES = frozenset({"kind", "operator", "words", "dims", "make"})


@dataclass(frozen=True)
class Case:
    """One operator in a model, run for `steps` invocations; `limits` bound the values of inputs."""

    operator: str
    label: str
    source: SingleOp | Model
    steps: int = 1
    limits: Limits = field(default_factory=dict[int, tuple[float, float]])
    given: Steps | None = None
    tolerance: Tolerance = PROMISE

    @cached_property
    def name(self) -> str:
        """Operator, types and what is particular about the case."""
        types = _RUN.sub(lambda run: f"{run[1]} x{len(run[0].split())}", self.types)
        return ", ".join(part for part in (f"{self.operator} {types}", self.label) if part)

    @cached_property
    def types(self) -> str:
        """The element types of the operator's tensors: those that go in -> those that come out."""
        return types_of(self.model, self.operator)

    @cached_property
    def model(self) -> Model:
        """The model that contains the operator."""
        return self.source.model() if isinstance(self.source, SingleOp) else self.source

    @cached_property
    def data(self) -> bytes:
        """The model as a file."""
        return write_model(self.model)

    @cached_property
    def feeds(self) -> Steps:
        """The inputs of every invocation: as given, else random but always the same."""
        if self.given is not None:
            return self.given
        generator = np.random.default_rng(zlib.crc32(self.name.encode()))
        graph = self.model.subgraphs[0]
        tensors = [graph.tensors[index] for index in graph.inputs]
        return [
            [
                _values(tensor, generator, self.limits.get(position))
                for position, tensor in enumerate(tensors)
            ]
            for _ in range(self.steps)
        ]


def grid(
    make: Callable[..., SingleOp],
    /,
    *named: Mapping[str, Settings],
    note: str = "",
    limits: Limits | None = None,
    given: Steps | None = None,
    steps: int = 1,
    tolerance: Tolerance = PROMISE,
    **values: Iterable[Any],
) -> list[Case]:
    """A case for every combination: one of each of the `named` settings, one value of each keyword.

    Settings and keywords are arguments of `make`. Names and values become the label of the case,
    with `note` behind them.
    """
    axes = [list(each.items()) for each in named]
    axes += [[(_label(key, value), {key: value}) for value in of] for key, of in values.items()]
    cases: list[Case] = []
    for combination in product(*axes):
        settings = {key: value for _, each in combination for key, value in each.items()}
        label = ", ".join(name for name in (*(name for name, _ in combination), note) if name)
        made = make(**settings)
        name = made.operator if isinstance(made.operator, str) else made.operator.name
        cases.append(Case(name, label, made, steps, limits or {}, given, tolerance))
    return cases


def of_constant(make: Callable[..., SingleOp], **settings: Any) -> SingleOp:
    """The operator with its first input in the file: for types that the wheel cannot be fed."""
    source = make(**settings)
    given = source.inputs[0]
    assert given is not None
    fixed = replace(given, values=random_values(given, np.random.default_rng(0)))
    return replace(source, inputs=[fixed, *source.inputs[1:]])


def types_of(model: Model, operator: str) -> str:
    """The types of the first node of the model that has this operator."""
    for graph in model.subgraphs:
        for node in graph.operators:
            if model.code(node).name == operator:
                return _node_types(node, graph.tensors)
    raise ValueError(f"the model has no {operator}")


def _node_types(node: Operator, tensors: Sequence[TensorInfo]) -> str:
    before, after = (
        " ".join(tensors[index].type.name.lower() for index in indices if index >= 0)
        for indices in (node.inputs, node.outputs)
    )
    return f"{before} -> {after}".strip()


def _values(
    tensor: TensorInfo, generator: np.random.Generator, limits: tuple[float, float] | None
) -> Array:
    """Random values; of integers over the whole range, all of it or its ends as they fit."""
    if limits is not None:
        shape, dtype = tensor.shape, dtype_of(tensor.type)
        if dtype.kind == "f":
            return generator.uniform(*limits, shape).astype(dtype)
        return generator.integers(int(limits[0]), int(limits[1]), shape, endpoint=True).astype(
            dtype
        )
    values = random_values(Operand(tensor.shape, tensor.type), generator)
    if values.dtype.kind not in "iu" or values.size < 2:
        return values
    ends = np.iinfo(values.dtype)
    certain = np.array([ends.min, ends.max], values.dtype)
    if values.size >= 2 ** (8 * values.itemsize):
        certain = np.arange(int(ends.min), int(ends.max) + 1).astype(values.dtype)
    values.reshape(-1)[: certain.size] = certain
    return generator.permutation(values.reshape(-1)).reshape(values.shape)


def _label(key: str, value: Any) -> str:
    if key in _TOLD_BY_TYPES or isinstance(value, type):
        return ""
    if isinstance(value, bool):
        return key if value else f"no {key}"
    if isinstance(value, Enum):
        return f"no {key}" if value.name == "NONE" else value.name.lower()
    return f"{key} {value}"
