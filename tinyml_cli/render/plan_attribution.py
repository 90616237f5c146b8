"""Every byte of an arena, by the operator or the tensor that it is for."""

from __future__ import annotations

from rich.console import RenderableType

from tinyml_cli.render.parts import table
from tinyml_cli.render.units import number
from tinyml_runtime.memory.arena import Owner, Section
from tinyml_runtime.planning.arena_plan import ArenaPlan
from tinyml_runtime.planning.sequence import PlannedBuffer

_FRAMEWORK = "framework"


def by_operator(plan: ArenaPlan) -> RenderableType:
    """What each node keeps, what it has for itself while it runs, what its Prepare takes."""
    kept = _sums(plan, Section.PERSISTENT)
    prepare = _sums(plan, Section.TEMPORARY)
    rows: list[tuple[str, ...]] = []
    for nodes in plan.nodes:
        for node in nodes:
            owner = Owner(node.subgraph, node.index)
            scratch = sum(
                buffer.bytes
                for buffer in plan.buffers
                if (buffer.subgraph, buffer.scratch_of) == (node.subgraph, node.index)
            )
            outputs = sum(
                buffer.bytes
                for buffer in plan.buffers
                if buffer.subgraph == node.subgraph and buffer.tensor in node.outputs
            )
            cells = (kept.get(owner, 0), scratch, outputs, prepare.get(owner, 0))
            rows.append((place(node.subgraph, node.index), node.operator, *map(number, cells)))
    rest = sum(size for owner, size in kept.items() if owner.node is None)
    rows.append(("", "framework, inputs, outputs", number(rest), "", "", ""))
    total = sum(kept.values())
    rows.append(("", "persistent part", number(total), "", "", ""))
    names = ("node", "operator", "keeps", "scratch", "outputs", "in Prepare")
    return table(names, rows, (0, 2, 3, 4, 5))


def by_tensor(plan: ArenaPlan) -> RenderableType:
    """Every planned buffer with its place, and what is kept for tensors."""
    rows = [
        (
            buffer_name(buffer, plan),
            number(buffer.bytes),
            f"{buffer.request.first_use}-{buffer.request.last_use}",
            number(offset),
        )
        for buffer, offset in zip(plan.buffers, plan.plan.offsets, strict=True)
    ]
    for entry in plan.allocations:
        if entry.owner.tensor is not None:
            where = place(entry.owner.subgraph or 0, entry.owner.tensor)
            rows.append((f"tensor {where}: {entry.kind}", number(entry.bytes), "always", ""))
    return table(("buffer", "bytes", "in use from-to", "offset"), rows, (1, 2, 3))


def buffer_name(buffer: PlannedBuffer, plan: ArenaPlan) -> str:
    """What a planned buffer is, by index and name."""
    if buffer.tensor is not None:
        return f"tensor {place(buffer.subgraph, buffer.tensor)} {buffer.name}".rstrip()
    node = buffer.scratch_of or 0
    operator = plan.nodes[buffer.subgraph][node].operator
    return f"scratch of node {place(buffer.subgraph, node)} {operator}"


def short_name(buffer: PlannedBuffer) -> str:
    """`tensor 22`, or `scratch 3` for one of node 3."""
    if buffer.tensor is not None:
        return f"tensor {place(buffer.subgraph, buffer.tensor)}"
    return f"scratch {place(buffer.subgraph, buffer.scratch_of or 0)}"


def place(subgraph: int, index: int) -> str:
    """A node or tensor by its index, after its subgraph where that is not the first."""
    return f"{subgraph}:{index}" if subgraph else str(index)


def _sums(plan: ArenaPlan, section: Section) -> dict[Owner, int]:
    sums: dict[Owner, int] = {}
    for entry in plan.allocations:
        if entry.section is section:
            sums[entry.owner] = sums.get(entry.owner, 0) + entry.bytes
    return sums
