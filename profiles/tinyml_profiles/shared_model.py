"""A model as many boards see it: prepared once for a kernel library, planned once for a build."""

from __future__ import annotations

from functools import cached_property

from tinyml_profiles.plan import runtime_profile
from tinyml_profiles.target import Target
from tinyml_profiles.usual_work import usual_work
from tinyml_profiles.work import ModelWork, graph_work
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.model.schema import Model
from tinyml_runtime.model.write import write_model
from tinyml_runtime.planning.arena_plan import ArenaPlan, graph_of, plan_graph
from tinyml_runtime.planning.sequence import Graph
from tinyml_runtime.resolver import OpResolver


class FitModel:
    """A model, and what boards have in common of it.

    Boards share a plan if ABI, kernel library and the extensions of the core are the same, and
    the work of the nodes if library and extensions are.
    """

    def __init__(self, model: Model, file_bytes: int | None = None) -> None:
        """Take a model; `file_bytes` is the size of its file, if it is not as our writer has it."""
        self.model = model
        self._file_bytes = file_bytes
        self._graphs: dict[str, Graph | UnsupportedModelError] = {}
        self._plans: dict[tuple[str, str, frozenset[str]], ArenaPlan] = {}
        self._works: dict[tuple[str, frozenset[str]], ModelWork] = {}

    @cached_property
    def file_bytes(self) -> int:
        """The size of the file."""
        return len(write_model(self.model)) if self._file_bytes is None else self._file_bytes

    def graph(self, library: str) -> Graph:
        """The model, prepared; UnsupportedModelError with all reasons if it does not load."""
        if library not in self._graphs:
            try:
                self._graphs[library] = graph_of(self.model, OpResolver.for_library(library))
            except UnsupportedModelError as error:
                self._graphs[library] = error
        graph = self._graphs[library]
        if isinstance(graph, UnsupportedModelError):
            raise graph
        return graph

    def plan(self, target: Target, library: str) -> ArenaPlan:
        """The arena; raises as `plan_model` does."""
        profile = runtime_profile(self.model, target, library)
        key = profile.abi.name, library, profile.extensions
        if key not in self._plans:
            graph = self.graph(library)
            self._plans[key] = plan_graph(graph, profile, GreedyPlanner(), library)
        return self._plans[key]

    def work(self, target: Target, library: str) -> ModelWork:
        """The work of all nodes, as `usual_work` has it; raises as `graph` does."""
        key = library, target.core.extensions
        if key not in self._works:
            mean = graph_work(self.graph(library), target.core, library)
            self._works[key] = usual_work(self.model, target.core, library, mean)
        return self._works[key]
