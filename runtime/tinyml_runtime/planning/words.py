"""What the calls to the arena are for, in words, and as TFLM reports that one fails."""

from __future__ import annotations

from collections.abc import Sequence

from tinyml_runtime.memory.arena import Action, ArenaCall, Owner, Shortage
from tinyml_runtime.registration import Node

_WORD_BITS = 32


def owner_name(owner: Owner, nodes: Sequence[Sequence[Node]]) -> str:
    """`CONV_2D (node 3)`, `tensor 5`, or an empty text for the framework."""
    subgraph = f"subgraph {owner.subgraph}, " if owner.subgraph else ""
    if owner.node is not None:
        operator = nodes[owner.subgraph or 0][owner.node].operator
        return f"{operator} ({subgraph}node {owner.node})"
    return "" if owner.tensor is None else f"{subgraph}tensor {owner.tensor}"


def purpose(call: ArenaCall, nodes: Sequence[Sequence[Node]], buffers: int) -> str:
    """What the call is for: what binds an arena in which it is the first to fail."""
    owner = owner_name(call.owner, nodes)
    if call.action is Action.PLAN:
        return f"the memory planner's own tables for {buffers} buffers, while it plans"
    if call.action is Action.HEAD and call.kind == "planned buffers":
        return "the planned buffers (head) against the persistent part (tail)"
    if call.action is Action.TEMPORARY and call.owner.node is not None:
        return f"temporary tensors in Prepare of {owner}"
    if call.action is Action.TEMPORARY:
        return f"the planner's list of all tensors ({call.kind}), while it plans"
    if call.action is Action.HEAD:
        return "the list of scratch buffer requests, while nodes are prepared"
    return f"{call.kind}{' of ' if owner else ''}{owner} (tail) against what lies below it"


def tflm_message(shortage: Shortage, planner_bytes: int, buffers: int) -> str:
    """The line that TFLM prints at this shortage; an empty text where it does not notice."""
    if shortage.is_silent:
        return ""
    call, available = shortage.call, shortage.available_bytes
    if call.action is Action.PLAN:
        if available < 0:
            asked = available % 2**_WORD_BITS
            return (
                f"Failed to allocate temp memory. Requested: {asked}, available 0, missing: {asked}"
            )
        per_buffer = planner_bytes // max(buffers, 1) or 1
        return f"Too many buffers (max is {available // per_buffer})"
    what = {
        Action.PERSISTENT: "allocate tail memory",
        Action.TEMPORARY: "allocate temp memory",
        Action.HEAD: "resize buffer",
    }[call.action]
    return (
        f"Failed to {what}. Requested: {call.bytes}, available {available % 2**_WORD_BITS}, "
        f"missing: {shortage.missing_bytes}"
    )
