"""A whole model, prepared: every node of every subgraph, or every reason why some cannot run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_runtime.errors import NodeProblem
from tinyml_runtime.model.schema import Model
from tinyml_runtime.nesting import nesting_depths
from tinyml_runtime.preparation import Preparation, PreparingTensors, Step, prepare_nodes
from tinyml_runtime.registration import Node
from tinyml_runtime.resolver import OpResolver
from tinyml_runtime.resource_variables import ResourceVariables
from tinyml_runtime.tensor import Tensor


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """The steps of every subgraph; `problems` are those of nodes that could not be prepared."""

    steps: Sequence[Sequence[Step]]
    problems: tuple[NodeProblem, ...]
    variables: ResourceVariables


def prepare_model(
    model: Model, tensors: Sequence[Sequence[Tensor]], resolver: OpResolver
) -> PreparedModel:
    """Prepare every node of `model` with the kernels of `resolver`."""
    interfaces = [
        ([own[i] for i in graph.inputs], [own[i] for i in graph.outputs])
        for graph, own in zip(model.subgraphs, tensors, strict=True)
    ]
    variables = ResourceVariables()
    preparation = Preparation(interfaces, nesting_depths(model), variables)
    prepared = [
        prepare_nodes(
            [(node, resolver.find(node.operator)) for node in nodes_of(model, number)],
            PreparingTensors(own, preparation),
        )
        for number, own in enumerate(tensors)
    ]
    problems = tuple(problem for _, found in prepared for problem in found)
    return PreparedModel([steps for steps, _ in prepared], problems, variables)


def nodes_of(model: Model, subgraph: int) -> list[Node]:
    """The nodes of a subgraph, in execution order."""
    return [
        _make_node(model, subgraph, index)
        for index in range(len(model.subgraphs[subgraph].operators))
    ]


def _make_node(model: Model, subgraph: int, index: int) -> Node:
    operator = model.subgraphs[subgraph].operators[index]
    code = model.code(operator)
    return Node(
        subgraph=subgraph,
        index=index,
        operator=code.name,
        inputs=operator.inputs,
        outputs=operator.outputs,
        version=code.version,
        options=operator.options,
        custom_options=operator.custom_options,
        intermediates=operator.intermediates,
    )
