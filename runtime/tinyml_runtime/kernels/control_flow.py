"""IF, WHILE: a subgraph or another, a subgraph again and again; CALL_ONCE: one at the first run.

Shapes    IF condition [1], operands -> results; WHILE operands -> results of the same sizes;
          subgraphs take and give tensors of as many bytes as the node's
Types     the condition of IF is bool, of that of WHILE the first byte counts; operands of any type
Units     values are copied byte by byte
Source    tflite-micro `micro/kernels/if.cc`, `while.cc`, `call_once.cc`, `kernel_util.cc`

TFLM's Reset does not make CALL_ONCE run again, so neither does ours; preparing anew does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.model.options import CallOnceOptions, IfOptions, WhileOptions
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    OptionsT,
    PrepareContext,
    Registration,
    check,
    check_type,
)
from tinyml_runtime.tensor import Array, Tensor, copy_bytes
from tinyml_runtime.types import BuiltinOperator, TensorType

CONDITION = 0


@dataclass(slots=True)
class CallOnceData:
    """The subgraph to run, and whether it has run."""

    subgraph: int
    has_run: bool = False


def prepare_if(context: PrepareContext, node: Node) -> IfOptions:
    """Check that both subgraphs take the operands and give the results."""
    options = _options(node, IfOptions)
    condition = context.input(node, CONDITION)
    check_type(condition, "the condition", TensorType.BOOL)
    check(condition.size == 1, f"the condition has {condition.size} elements, not 1")
    operands = _inputs(context, node)[CONDITION + 1 :]
    results = _outputs(context, node)
    _, given = context.subgraph_tensors(options.then_subgraph_index)
    check(
        len(given) == len(results),
        f"subgraph {options.then_subgraph_index} gives {len(given)} tensors, "
        f"the node {len(results)}",
    )
    for subgraph in (options.then_subgraph_index, options.else_subgraph_index):
        _, given = _check_operands(context, subgraph, operands)
        # TFLM leaves the results as they are after a subgraph that gives none.
        if given:
            _check_sizes(given, results, f"outputs of subgraph {subgraph}")
    return options


def evaluate_if(context: EvalContext, node: Node, data: IfOptions) -> None:
    """Run the subgraph that the condition chooses."""
    holds = _first_byte(context.input(node, CONDITION).values)
    subgraph = data.then_subgraph_index if holds else data.else_subgraph_index
    operands = [
        context.input(node, position).values for position in range(CONDITION + 1, len(node.inputs))
    ]
    _store(context, node, context.invoke_subgraph(subgraph, operands))


def prepare_while(context: PrepareContext, node: Node) -> WhileOptions:
    """Check that condition and body take the operands, and that the body gives them anew."""
    options = _options(node, WhileOptions)
    operands = _inputs(context, node)
    _check_sizes(operands, _outputs(context, node), "inputs")
    _, given = _check_operands(context, options.cond_subgraph_index, operands)
    check(
        bool(given) and given[0].size > 0,
        f"subgraph {options.cond_subgraph_index}, the condition, gives nothing",
    )
    _, given = _check_operands(context, options.body_subgraph_index, operands)
    _check_sizes(given, operands, f"outputs of subgraph {options.body_subgraph_index}")
    return options


def evaluate_while(context: EvalContext, node: Node, data: WhileOptions) -> None:
    """Run the body on what it gave, as long as the condition holds."""
    inputs = [context.input(node, position).values for position in range(len(node.inputs))]
    _store(context, node, inputs)
    state = [context.output(node, position).values for position in range(len(node.outputs))]
    while _first_byte(context.invoke_subgraph(data.cond_subgraph_index, state)[0]):
        _store(context, node, context.invoke_subgraph(data.body_subgraph_index, state))


def prepare_call_once(context: PrepareContext, node: Node) -> CallOnceData:
    """Check that nothing goes in or out."""
    options = _options(node, CallOnceOptions)
    check(not node.inputs, "NumInputs(node) == 0 was not true.")
    check(not node.outputs, "NumOutputs(node) == 0 was not true.")
    inputs, _ = context.subgraph_tensors(options.init_subgraph_index)
    check(not inputs, f"subgraph {options.init_subgraph_index} has inputs; this node gives none")
    return CallOnceData(options.init_subgraph_index)


def evaluate_call_once(context: EvalContext, node: Node, data: CallOnceData) -> None:
    """Run the subgraph unless it has run."""
    if not data.has_run:
        context.invoke_subgraph(data.subgraph, [])
        data.has_run = True


def _options(node: Node, kind: type[OptionsT]) -> OptionsT:
    # By default the node would call the main subgraph, which calls the node.
    check(isinstance(node.options, kind), "the node does not say which subgraphs it runs")
    return node.options_as(kind)


def _inputs(context: PrepareContext, node: Node) -> list[Tensor]:
    return [context.input(node, position) for position in range(len(node.inputs))]


def _outputs(context: PrepareContext, node: Node) -> list[Tensor]:
    return [context.output(node, position) for position in range(len(node.outputs))]


def _check_operands(
    context: PrepareContext, subgraph: int, operands: Sequence[Tensor]
) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
    inputs, outputs = context.subgraph_tensors(subgraph)
    _check_sizes(inputs, operands, f"inputs of subgraph {subgraph}")
    constants = [tensor.index for tensor in inputs if tensor.is_constant]
    check(not constants, f"inputs of subgraph {subgraph} are constants of the file: {constants}")
    return inputs, outputs


def _check_sizes(tensors: Sequence[Tensor], others: Sequence[Tensor], role: str) -> None:
    check(len(tensors) == len(others), f"{role}: {len(tensors)} where {len(others)} are needed")
    for position, (tensor, other) in enumerate(zip(tensors, others, strict=True)):
        size, needed = (part.size * part.dtype.itemsize for part in (tensor, other))
        check(size == needed, f"{role}: number {position} has {size} bytes, not {needed}")


def _store(context: EvalContext, node: Node, arrays: Sequence[Array]) -> None:
    for position, array in enumerate(arrays):
        copy_bytes(array, context.output(node, position).values)


def _first_byte(values: Array) -> bool:
    return bool(values.reshape(-1).view(np.uint8)[0])


IF = Registration(BuiltinOperator.IF, prepare_if, evaluate_if)
WHILE = Registration(BuiltinOperator.WHILE, prepare_while, evaluate_while)
CALL_ONCE = Registration(BuiltinOperator.CALL_ONCE, prepare_call_once, evaluate_call_once)
