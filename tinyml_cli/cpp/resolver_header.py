"""A header with a MicroMutableOpResolver for exactly the operators that models need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tinyml_cli.cpp.add_methods import INT8_KERNELS, Int8Kernel, add_method, is_builtin
from tinyml_cli.cpp.text import (
    comment,
    first_lines,
    joined,
    model_lines,
    namespace_of,
    runtime_line,
)
from tinyml_cli.planning.report import PlanReport, PlanReports
from tinyml_cli.render.units import plural
from tinyml_runtime import Model, Node, TensorType, load_model
from tinyml_runtime.errors import InputError
from tinyml_runtime.library import base_name
from tinyml_runtime.prepared_model import nodes_of

_RESOLVER = "tensorflow/lite/micro/micro_mutable_op_resolver.h"


class _Use(NamedTuple):
    """A node, and the model that it belongs to."""

    model: Model
    node: Node


def resolver_header(reports: PlanReports, path: Path) -> str:
    """The text of the header, for the operators of all models together.

    Raises:
        InputError: an operator that TFLM's resolver cannot be given.
    """
    uses = _uses(reports.reports)
    library = reports.reports[0].library
    int8 = {
        name: kernel
        for name, kernel in INT8_KERNELS.get(base_name(library), {}).items()
        if name in uses and all(_is_int8(use, kernel) for use in uses[name])
    }
    custom = [name for name in uses if add_method(name) is None]
    space = namespace_of(path)
    lines = [*first_lines("--resolver"), *_includes(int8.values()), ""]
    for report in reports.reports:
        lines += model_lines(report)
    lines += [runtime_line(reports.reports[0]), *_int8_note(int8), ""]
    lines += [f"namespace {space} {{", "", *_types(uses), "", *_usage(space, custom)]
    parameters = "".join(f", const TFLMRegistration* {_parameter(name)}" for name in custom)
    lines.append(f"inline TfLiteStatus RegisterOps(OpResolver& op_resolver{parameters}) {{")
    for name, own in uses.items():
        lines.append(f"  TF_LITE_ENSURE_STATUS(op_resolver.{_call(name, name in int8)});")
        lines[-1] += f"  {comment(plural(len(own), 'node'))}"
    lines += ["  return kTfLiteOk;", "}", "", f"}}  // namespace {space}"]
    return joined(lines)


def _uses(reports: Sequence[PlanReport]) -> dict[str, list[_Use]]:
    """The nodes of all models by operator, sorted by its name."""
    uses: dict[str, list[_Use]] = {}
    for report in reports:
        model = load_model(report.model.content, report.model.path)
        for number in range(len(model.subgraphs)):
            for node in nodes_of(model, number):
                uses.setdefault(node.operator, []).append(_Use(model, node))
    return dict(sorted(uses.items()))


def _is_int8(use: _Use, kernel: Int8Kernel) -> bool:
    tensors = use.model.subgraphs[use.node.subgraph].tensors
    for operand in kernel.operands.split():
        indices = use.node.inputs if operand[0] == "i" else use.node.outputs
        if tensors[indices[int(operand[1:])]].type is not TensorType.INT8:
            return False
    return True


def _includes(int8: Iterable[Int8Kernel]) -> Iterator[str]:
    for header in sorted({_RESOLVER, *(kernel.header for kernel in int8 if kernel.header)}):
        yield f'#include "{header}"'


def _int8_note(int8: Mapping[str, Int8Kernel]) -> list[str]:
    if not int8:
        return []
    return [comment("_INT8    kernels without code for other types, which no node needs")]


def _types(uses: Mapping[str, Sequence[_Use]]) -> list[str]:
    lines = [
        f"constexpr unsigned int kOperatorCount = {len(uses)};",
        "using OpResolver = tflite::MicroMutableOpResolver<kOperatorCount>;",
    ]
    variables = {(id(one.model), one.node.options) for one in uses.get("VAR_HANDLE", ())}
    if variables:
        lines += [
            comment("The arena's size holds for an interpreter that is given"),
            comment("tflite::MicroResourceVariables::Create(allocator, kResourceVariables)."),
            f"constexpr int kResourceVariables = {len(variables)};",
        ]
    return lines


def _usage(space: str, custom: Sequence[str]) -> list[str]:
    more = ", ..." if custom else ""
    lines = [
        comment(f"static {space}::OpResolver resolver;  {space}::RegisterOps(resolver{more});")
    ]
    if custom:
        lines.append(
            comment("The parameters are registrations of operators that TFLM does not have.")
        )
    return lines


def _call(operator: str, is_int8: bool) -> str:
    method = add_method(operator)
    if method is not None:
        return f"{method}({f'tflite::Register_{operator}_INT8()' if is_int8 else ''})"
    if is_builtin(operator):
        raise InputError(f"--resolver: TFLM's resolver has no method to add {operator}")
    return f"AddCustom({_literal(operator)}, {_parameter(operator)})"


def _parameter(operator: str) -> str:
    return namespace_of(Path(operator.replace("/", "_"))).lower()


def _literal(text: str) -> str:
    """A C++ string literal; what is not plain is written in octal."""
    plain = set(range(32, 127)) - {ord('"'), ord("\\"), ord("?")}
    return '"' + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in text.encode()) + '"'
