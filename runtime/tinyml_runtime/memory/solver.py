"""The packing problem for OR-tools' CP-SAT: rectangles of time and memory, none over another.

The one module that knows OR-tools, which is an extra and is imported when a problem is hard.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from tinyml_runtime.memory.deadline import Deadline
from tinyml_runtime.memory.packing import Packing, PackingProblem

_SEED = 20


@dataclass(frozen=True, slots=True)
class Solution:
    """The best packing that is known, and a proof that none is below `lower_bound_bytes`."""

    packing: Packing
    lower_bound_bytes: int


def is_installed() -> bool:
    """Whether OR-tools can be imported."""
    return find_spec("ortools") is not None


def solve(problem: PackingProblem, known: Packing, deadline: Deadline) -> Solution:
    """Improve on `known` until it is proven to be a smallest packing, or time is up."""
    from ortools.sat.python import cp_model

    unit = problem.unit_bytes
    model, top, offsets = _model(cp_model.CpModel(), problem, known)
    solver = cp_model.CpSolver()
    solver.parameters.random_seed = _SEED
    # One worker finds the same plan every time, and on these problems no later than several do.
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = deadline.seconds_left
    status = solver.solve(model)
    bound = max(problem.least_bytes, round(solver.best_objective_bound) * unit)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Solution(known, min(bound, known.bytes))
    found = Packing(
        tuple(solver.value(offset) * unit for offset in offsets), solver.value(top) * unit
    )
    return Solution(min(known, found, key=lambda packing: packing.bytes), bound)


def _model(model: Any, problem: PackingProblem, known: Packing) -> tuple[Any, Any, list[Any]]:
    """The constraints, what to minimize, and the offsets; memory is counted in units."""
    unit = problem.unit_bytes
    highest = known.bytes // unit
    top = model.new_int_var(problem.least_bytes // unit, highest, "")
    times: list[Any] = []
    stretches: list[Any] = []
    offsets: list[Any] = []
    for block in problem.obstacles:
        stretches.append(
            model.new_fixed_size_interval_var((block.offset or 0) // unit, block.bytes // unit, "")
        )
    for request, at in zip(problem.free, known.offsets, strict=True):
        size = request.bytes // unit
        offset = model.new_int_var(0, highest - size, "")
        model.add(offset + size <= top)
        model.add_hint(offset, at // unit)
        offsets.append(offset)
        stretches.append(model.new_fixed_size_interval_var(offset, size, ""))
    for block in (*problem.obstacles, *problem.free):
        duration = block.last_use - block.first_use + 1
        times.append(model.new_fixed_size_interval_var(block.first_use, duration, ""))
    model.add_no_overlap_2d(times, stretches)
    model.minimize(top)
    model.add_hint(top, highest)
    return model, top, offsets
