"""How deep the subgraphs of a model call each other."""

from __future__ import annotations

from contextlib import suppress

from tinyml_runtime.model.check import called_subgraphs
from tinyml_runtime.model.schema import Model


def nesting_depths(model: Model) -> dict[int, int]:
    """Levels below each subgraph: 0 without calls; those that never come to an end are left out."""
    calls = {
        number: {called for operator in graph.operators for called in called_subgraphs(operator)}
        for number, graph in enumerate(model.subgraphs)
    }
    if not any(calls.values()):
        return dict.fromkeys(calls, 0)
    from graphlib import CycleError, TopologicalSorter

    sorter = TopologicalSorter(calls)
    with suppress(CycleError):  # it still gives all subgraphs from which no cycle is reached
        sorter.prepare()
    depths: dict[int, int] = {}
    while ready := sorter.get_ready():
        for number in ready:
            depths[number] = max(
                (1 + depths[called] for called in calls.get(number, ())), default=0
            )
        sorter.done(*ready)
    return depths
