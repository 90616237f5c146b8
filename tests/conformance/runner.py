"""Runs a case here and in the oracles, and compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.conformance.cases import Case
from tests.conformance.oracles import Job, Oracle, Refusal
from tests.support.single_op import run_stacked
from tinyml_runtime.events import Event, NodeFinished
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.model.load import load_model
from tinyml_runtime.tensor import Array

# For each invocation; empty where it ended early, as outputs are undefined then.
Outputs = list[list[Array]]


@dataclass(frozen=True)
class Gap:
    """Where two results part: in which invocation, output and element, and how far."""

    step: int
    output: int
    element: int
    ours: object
    theirs: object
    elements: int
    largest: float

    def __str__(self) -> str:
        return (
            f"invocation {self.step}, output {self.output}, element {self.element}: {self.ours}, "
            f"the oracle has {self.theirs}; {self.elements} elements differ, by {self.largest:g}"
        )


class _LastNode:
    """Remembers which node of the main subgraph was the last to be evaluated."""

    def __init__(self) -> None:
        self.index = -1

    def notify(self, event: Event) -> None:
        if isinstance(event, NodeFinished) and event.node.subgraph == 0:
            self.index = event.node.index


def run_here(case: Case) -> Outputs:
    """Our outputs of every invocation, from the model as a file."""
    last = _LastNode()
    interpreter = Interpreter(load_model(case.data), listeners=[last])
    interpreter.allocate_tensors()
    end = len(case.model.subgraphs[0].operators) - 1
    results: Outputs = []
    for feeds in case.feeds:
        for index, array in enumerate(feeds):
            interpreter.set_input(array, index)
        interpreter.invoke()
        outputs = range(len(interpreter.outputs)) if last.index == end else ()
        results.append([interpreter.output(index) for index in outputs])
    return results


def run_there(case: Case, oracle: Oracle) -> Outputs | Refusal:
    """The oracle's."""
    return oracle.run(Job(case.data, len(case.model.subgraphs[0].outputs), case.feeds))


def gap_between(case: Case, ours: Outputs, theirs: Outputs) -> Gap | None:
    """The first output in which the results part; None where they are near enough."""
    assert len(ours) == len(theirs)
    for step, (mine, others) in enumerate(zip(ours, theirs, strict=True)):
        for index, (array, other) in enumerate(zip(mine, others, strict=bool(mine))):
            if (array.dtype, array.shape) != (other.dtype, other.shape):
                return Gap(step, index, 0, form_of(array), form_of(other), array.size, np.inf)
            near = _near(case, step, array, other).reshape(-1)
            if not near.all():
                return _gap(step, index, array.reshape(-1), other.reshape(-1), near)
    return None


def in_shapes_of(ours: Outputs, theirs: Outputs) -> Outputs:
    """The oracle's outputs in the shapes of ours: LiteRT gives outputs the shapes it computes."""
    return [
        [
            other.reshape(array.shape) if other.size == array.size else other
            for array, other in zip(mine, others, strict=True)
        ]
        for mine, others in zip(ours, theirs, strict=True)
    ]


def stacked_gap(case: Case, ours: Outputs) -> Gap | None:
    """Where the first of several samples that are run together parts from what it gives alone."""
    together = run_stacked(case.model, case.feeds[0])
    return gap_between(case, ours, [[array[0] for array in together]])


def form_of(array: Array) -> str:
    """Type and shape."""
    return f"{array.dtype} {array.shape}"


def _near(case: Case, step: int, ours: Array, theirs: Array) -> Array:
    if ours.dtype.kind != "f":
        return np.asarray(ours == theirs)
    return case.tolerance.accepts(ours, theirs, case.feeds[step])


def _gap(step: int, output: int, ours: Array, theirs: Array, near: Array) -> Gap:
    at = int(np.argmin(near))
    distances: Sequence[float] = np.abs(ours.astype(float) - theirs.astype(float))[~near].tolist()
    return Gap(step, output, at, ours[at].item(), theirs[at].item(), len(distances), max(distances))
