"""The smallest plan there is, or the best that can be found in a given time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinyml_runtime.memory import solver
from tinyml_runtime.memory.deadline import Deadline
from tinyml_runtime.memory.order_search import search_orders
from tinyml_runtime.memory.packing import PackingProblem
from tinyml_runtime.memory.planner import (
    BufferRequest,
    MemoryPlan,
    Search,
    check_requests,
    finished_plan,
)
from tinyml_runtime.memory.solver import Solution

SOLVER_SHARE = 0.7  # of the time, where there is a solver


@dataclass(frozen=True, slots=True)
class OptimalPlanner:
    """Searches for a smallest plan, and says whether it is proven to be one.

    Given offsets stay, and all others are multiples of 16. Heuristics come first: most models are
    proven there already, by a plan that is no larger than what is in use at one time. What is left
    goes to OR-tools' CP-SAT if the extra `solver` is installed and few enough buffers overlap.
    """

    time_limit_seconds: float = 10.0
    name = "optimal"

    def plan(self, requests: Sequence[BufferRequest]) -> MemoryPlan:
        """The smallest plan found; PlanError for sizes and times that cannot be."""
        check_requests(requests)
        deadline = Deadline(self.time_limit_seconds)
        problem = PackingProblem(requests)
        best = problem.pack_by_size()
        if best.bytes > problem.least_bytes:
            share = SOLVER_SHARE if solver.is_installed() else 0.0
            best = search_orders(problem, best, Deadline(deadline.seconds_left * (1 - share)))
        if best.bytes == problem.least_bytes or deadline.has_passed or not problem.is_small:
            return self._result(requests, problem, Solution(best, problem.least_bytes))
        if not solver.is_installed():
            known = Solution(best, problem.least_bytes)
            return self._result(requests, problem, known, Search.WITHOUT_SOLVER)
        return self._result(requests, problem, solver.solve(problem, best, deadline))

    def _result(
        self,
        requests: Sequence[BufferRequest],
        problem: PackingProblem,
        solution: Solution,
        search: Search = Search.STOPPED,
    ) -> MemoryPlan:
        offsets = [request.offset or 0 for request in requests]
        for index, offset in zip(problem.indices, solution.packing.offsets, strict=True):
            offsets[index] = offset
        plan = finished_plan(requests, offsets)
        if solution.lower_bound_bytes == solution.packing.bytes:
            return replace(plan, lower_bound_bytes=plan.bytes)
        # The bound counts given buffers that lie askew as wider than they are.
        bound = min(solution.lower_bound_bytes, plan.bytes)
        return replace(
            plan,
            lower_bound_bytes=bound,
            search=search,
            limit_seconds=self.time_limit_seconds,
        )
