"""Lines of TFLM that say no figures of the arena, or none that a size could be found from.

Source: tflite-micro `micro/micro_interpreter.cc`, `micro_interpreter_graph.cc`,
`micro_allocator.cc`, `micro_op_resolver.cc`, `recording_micro_allocator.cc`; for lines that are no
longer printed, revisions of 2019 to 2021
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from tinyml_cli.cpp.add_methods import add_method
from tinyml_cli.planning.report import PlanReport
from tinyml_cli.render.units import bytes_text, number
from tinyml_profiles.alternatives import with_recording
from tinyml_runtime import Model
from tinyml_runtime.prepared_model import nodes_of


class _Line(NamedTuple):
    """A line that was recognized, and what it was printed for."""

    found: re.Match[str]
    report: PlanReport
    model: Model

    def declare(self) -> str:
        """What to declare, where that is known."""
        plan = self.report.plan
        return "" if plan is None else f"Declare {bytes_text(plan.arena.recommended_bytes)}."

    def operators(self) -> list[str]:
        """The operators of the model, sorted."""
        graphs = range(len(self.model.subgraphs))
        return sorted({node.operator for graph in graphs for node in nodes_of(self.model, graph)})


Meaning: TypeAlias = tuple[str, str]


def meaning_of(line: str, report: PlanReport, model: Model) -> Meaning | None:
    """What a line means, and what to do; None for a line that is not known."""
    for pattern, explain in _MEANINGS:
        found = re.search(pattern, line)
        if found is not None:
            return explain(_Line(found, report, model))
    return None


def _missing_operator(line: _Line) -> Meaning:
    operator = line.found[1]
    method = add_method(operator)
    if method is None:
        return (
            f"TFLM has no kernel for {operator}: no resolver can find it.",
            _problem_remedy(line, operator) or "Replace the operator in the model.",
        )
    operators = line.operators()
    if operator not in operators:
        return f"This model has no {operator}: the line is from another model.", ""
    return (
        f"TFLM has {operator}, but the program's resolver was not given it.",
        f"Call resolver.{method}(), for a MicroMutableOpResolver<{len(operators)}>; "
        "--resolver OUT.h writes it for all operators of the model.",
    )


def _missing_custom(line: _Line) -> Meaning:
    custom = [name for name in line.operators() if name not in _builtin(line)]
    names = ", ".join(custom)
    if not custom:
        return "This model has no custom operator: the line is from another model.", ""
    methods = [f"resolver.{method}()" for name in custom if (method := add_method(name))]
    return (
        f"The resolver was not given a custom operator; this model has {names}.",
        f"Call {', '.join(methods)}."
        if methods
        else "Call resolver.AddCustom(name, registration).",
    )


def _builtin(line: _Line) -> set[str]:
    return {name for name in line.operators() if name.isupper() and not name.startswith("TFLM_")}


def _node_failed(line: _Line) -> Meaning:
    operator, index = line.found[1], int(line.found[2])
    graphs = range(len(line.model.subgraphs))
    nodes = [node for graph in graphs for node in nodes_of(line.model, graph)]
    if all((node.operator, node.index) != (operator, index) for node in nodes):
        return f"No node {index} of this model is {operator}: the line is from another model.", ""
    own = [one for one in line.report.problems if (one.operator, one.index) == (operator, index)]
    if own:
        return f"The kernel refuses this node: {own[0].reason}.", own[0].remedy
    return (
        f"The Prepare of node {index} gave up. With {line.report.library} kernels it succeeds "
        "where there is room: the arena is too small, which a line before this one says.",
        line.declare(),
    )


def _all_buffers(line: _Line) -> Meaning:
    needed, available = int(line.found[1]), int(line.found[2])
    plan = line.report.plan
    own = "" if plan is None else f"; this model's are {bytes_text(plan.plan.bytes)}"
    return (
        f"An older TFLM: the planned buffers need {bytes_text(needed)} and {number(available)} "
        f"were left beside what stays{own}. The TfLiteTensors of inputs and outputs come after "
        f"that, so {bytes_text(needed - available)} more are not yet enough.",
        line.declare(),
    )


def _planner_memory(line: _Line) -> Meaning:
    return (
        f"The planner's list of all tensors ({line.found[1]} bytes, only while it plans) found no "
        "room between the head and the tail.",
        line.declare(),
    )


def _recorded(line: _Line) -> Meaning:
    part, told = line.found[1], int(line.found[2])
    plan = line.report.plan
    if plan is None:
        return "What the arena held after AllocateTensors.", ""
    arena = with_recording(plan).arena
    own = {
        "total": arena.used_bytes,
        "head": arena.nonpersistent_bytes,
        "tail": arena.persistent_bytes,
    }[part]
    same = "the same here" if told == own else f"here it is {bytes_text(own)}"
    return (
        f"What was in use at the end ({same}), with the larger allocators of a "
        "RecordingMicroInterpreter. What AllocateTensors needs only for a while is not in it. The "
        f"smallest arena is decided by {plan.arena.bound_by}.",
        f"{line.declare()} A RecordingMicroInterpreter needs {number(arena.recommended_bytes)}.",
    )


def _small_resolver(line: _Line) -> Meaning:
    needed = len(line.operators())
    return (
        f"The resolver has room for {line.found[1]} operators; the model has {needed}.",
        f"Use MicroMutableOpResolver<{needed}>; --resolver OUT.h writes it.",
    )


def _problem_remedy(line: _Line, operator: str) -> str:
    return next((one.remedy for one in line.report.problems if one.operator == operator), "")


def _resource_variables(line: _Line) -> Meaning:
    handles = {
        node.options
        for graph in range(len(line.model.subgraphs))
        for node in nodes_of(line.model, graph)
        if node.operator == "VAR_HANDLE"
    }
    return (
        f"There is room for {line.found[1]} resource variables; the model has {len(handles)}.",
        f"Give the interpreter MicroResourceVariables::Create(allocator, {len(handles)}).",
    )


def _says(meaning: str) -> Callable[[_Line], Meaning]:
    return lambda line: (meaning, line.declare())


_LAST = "The planned buffers fitted, the TfLiteTensors of inputs and outputs, which come last, not."
_FIRST = "Not even what is allocated before any operator found room, or the file is defective."
_FOLLOWS = "This only follows: a line before it says what failed."
_MEANINGS: tuple[tuple[str, Callable[[_Line], Meaning]], ...] = (
    (r"Didn't find op for builtin opcode '(\w+)'", _missing_operator),
    (r"Failed to get registration from op code\s+CUSTOM", _missing_custom),
    (r"Failed to get registration from op code\s+(\w+)", _missing_operator),
    (r"Node (\S+) \(number (\d+)\D* failed to prepare", _node_failed),
    (r"resolver size (?:is )?too ?small \((\d+)\)", _small_resolver),
    (r"is too small \((\d+)\)", _small_resolver),
    (r"Needed (\d+) but only (\d+) was available", _all_buffers),
    (r"for memory planning, (\d+) bytes required", _planner_memory),
    (r"\[RecordingMicroAllocator\] Arena allocation (total|head|tail) (\d+) bytes", _recorded),
    (r"Maximum resource variable count\s+\((\d+)\)", _resource_variables),
    (r"Failed starting model allocation", _says(_FIRST)),
    (r"Failed to allocate memory for (?:model metadata|node_and_reg|context->eval)", _says(_FIRST)),
    (
        r"Failed to allocate memory for (?:persistent TfLiteTensor|context->(?:in|out)put)",
        _says(_LAST),
    ),
    (r"Failed to populate a persistent TfLiteTensor", _says(_LAST)),
    (r"Failed to initialize (?:in|out)put tensor", _says(_LAST)),
    (
        r"Failed to allocate variable tensor of size (\d+)",
        _says("A variable tensor found no room."),
    ),
    (r"Failed to allocate resource buffer", _says("A resource variable found no room.")),
    (
        r"Failed to allocate temp\. memory for tensor|Failed to populate a temp TfLiteTensor"
        r"|Unable to allocate (?:TfLiteAffineQ|quantization)",
        _says("A kernel's view of a tensor found no room while it was prepared."),
    ),
    (
        r"All temp buffers must be freed|Number of allocated temp buffers",
        _says("What stays has overwritten temporary memory: the arena is far too small."),
    ),
    (r"AllocateTensors\(\) failed|Invoke\(\) called after initialization failed", _says(_FOLLOWS)),
)
