"""Models run inside their planned arena, beside a run in which no tensors share memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.support.single_op import Operand, random_values
from tinyml_runtime.errors import RunError
from tinyml_runtime.events import Event, NodeFinished
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.memory.abi import load_abi
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.planner import MemoryPlanner
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.schema import Model
from tinyml_runtime.planning.arena_plan import ArenaPlan, plan_arena
from tinyml_runtime.tensor import Array

PROFILE = RuntimeProfile(load_abi("lp64"))


def plan(model: Model, planner: MemoryPlanner | None = None) -> ArenaPlan:
    """The arena of a model with the reference kernels."""
    return plan_arena(model, PROFILE, planner or GreedyPlanner())


def prepared_in_arena(model: Model, arena: ArenaPlan | None = None) -> Interpreter:
    """Our interpreter, ready to run inside an arena."""
    interpreter = Interpreter(model, arena_plan=arena or plan(model))
    interpreter.allocate_tensors()
    return interpreter


def random_steps(model: Model, steps: int = 2) -> list[list[Array]]:
    """Random values of all inputs, for every invocation."""
    generator = np.random.default_rng(0)
    main = model.subgraphs[0]
    operands = [Operand(main.tensors[k].shape, main.tensors[k].type) for k in main.inputs]
    return [[random_values(operand, generator) for operand in operands] for _ in range(steps)]


class _LastNode:
    """Hears whether the last node of the main subgraph was evaluated."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._last = len(interpreter.nodes()) - 1
        self.is_finished = self._last < 0

    def notify(self, event: Event) -> None:
        place = (event.node.subgraph, event.node.index)
        self.is_finished |= isinstance(event, NodeFinished) and place == (0, self._last)


def invoke(interpreter: Interpreter, feeds: Sequence[Array]) -> list[bytes] | None:
    """The bytes of all outputs; None where the run stops on its values, or is ended by a node.

    In an arena every byte is spoilt before, except those of variable tensors.
    """
    last = _LastNode(interpreter)
    if interpreter.arena is not None:
        interpreter.arena.spoil()
    for index, array in enumerate(feeds):
        if not interpreter.inputs[index].is_constant:
            interpreter.set_input(array, index)
    interpreter.listeners.append(last)
    try:
        interpreter.invoke()
    except RunError:
        return None
    finally:
        interpreter.listeners.remove(last)
    if not last.is_finished:
        return None  # outputs hold what was there before: something else in an arena
    return [interpreter.output(index).tobytes() for index in range(len(interpreter.outputs))]


def assert_same_in_arena(
    model: Model, steps: Sequence[Sequence[Array]] | None = None, arena: ArenaPlan | None = None
) -> None:
    """Every invocation gives the same bytes inside the arena as without one, also after a reset."""
    apart = Interpreter(model)
    apart.allocate_tensors()
    inside = prepared_in_arena(model, arena)
    for _ in range(2):
        for feeds in random_steps(model) if steps is None else steps:
            assert invoke(inside, feeds) == invoke(apart, feeds)
        apart.reset()
        inside.reset()
