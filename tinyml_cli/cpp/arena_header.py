"""A header with the tensor arena: its size, where that is from, and checks that it still holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tinyml_cli.cpp.text import (
    comment,
    first_lines,
    joined,
    model_lines,
    namespace_of,
    runtime_line,
)
from tinyml_cli.planning.report import PlanReport, PlanReports
from tinyml_cli.render.units import bytes_text, number
from tinyml_runtime.errors import InputError
from tinyml_runtime.memory.abi import Abi

# The enumerations of ABIs: Arm's embedded one makes them as short as they can be.
_BYTES_OF_SHORT_ENUMERATION = {"arm-eabi": 1}
_BYTES_OF_ENUMERATION = 4
# Structures whose sizes depend on the ABI, on how TFLM is built, and on its revision.
_CHECKED = (
    ("TfLiteTensor", "TfLiteTensor"),
    ("TfLiteEvalTensor", "TfLiteEvalTensor"),
    ("TfLiteAffineQuantization", "TfLiteAffineQuantization"),
    ("TfLiteAddParams", "TfLiteAddParams"),
    ("NodeAndRegistration", "tflite::NodeAndRegistration"),
    ("SubgraphAllocations", "tflite::SubgraphAllocations"),
    ("ScratchBufferHandle", "tflite::ScratchBufferHandle"),
    ("internal::ScratchBufferRequest", "tflite::internal::ScratchBufferRequest"),
    ("MicroAllocator", "tflite::MicroAllocator"),
    ("SingleArenaBufferAllocator", "tflite::SingleArenaBufferAllocator"),
    ("GreedyMemoryPlanner", "tflite::GreedyMemoryPlanner"),
)
_CHECKED_HEADERS = (
    "tensorflow/lite/c/builtin_op_data.h",
    "tensorflow/lite/c/common.h",
    "tensorflow/lite/micro/arena_allocator/single_arena_buffer_allocator.h",
    "tensorflow/lite/micro/memory_planner/greedy_memory_planner.h",
    "tensorflow/lite/micro/micro_allocator.h",
)


class _Arena(NamedTuple):
    """An array: the constant of its size, its name, its bytes."""

    constant: str
    name: str
    bytes: int


def arena_header(reports: PlanReports, path: Path) -> str:
    """The text of the header: the arena of the only model, or the one that all share.

    Raises:
        InputError: two arenas (--split) are asked for, and several models.
    """
    first = reports.reports[0]
    if reports.shared is not None and first.split is not None:
        raise InputError("--header with --split takes one model: two arenas are not shared")
    lines = [*first_lines("--header"), "#include <cstddef>", "#include <cstdint>", ""]
    for report in reports.reports:
        lines += [*_origin(report), "//"]
    lines += [runtime_line(first), *_advice(reports), ""]
    space = namespace_of(path)
    lines += [f"namespace {space} {{", "", *_arrays(_arenas(reports)), *_abi_checks(first), ""]
    lines += [f"}}  // namespace {space}", "", *_tflm_checks(first.profile.abi)]
    return joined(lines)


def _origin(report: PlanReport) -> list[str]:
    plan = report.plan
    if plan is None:
        return model_lines(report)
    arena = plan.arena
    return [
        *model_lines(report),
        comment(
            f"arena    {bytes_text(arena.min_bytes)} are the fewest that work; "
            f"{number(arena.persistent_bytes)} stay, "
            f"{number(arena.nonpersistent_bytes)} are planned ({report.planner} planner)"
        ),
        comment(f"bound by {arena.bound_by}"),
    ]


def _advice(reports: PlanReports) -> list[str]:
    first = reports.reports[0]
    lines: list[str] = []
    if first.planner == "optimal":
        lines.append("plan     only a model that --write saved brings this plan to the device")
    if reports.shared is not None:
        lines.append("shared   all models run in turn, through one tflite::MicroAllocator")
    if first.split is not None:
        lines.append("split    for MicroAllocator::Create(persistent, ..., non-persistent, ...)")
    return [comment(text) for text in lines]


def _arenas(reports: PlanReports) -> list[_Arena]:
    first = reports.reports[0]
    if reports.shared is not None:
        return [_Arena("kTensorArenaSize", "tensor_arena", reports.shared.recommended_bytes)]
    if first.split is not None:
        sizes = first.split.persistent_bytes, first.split.nonpersistent_bytes
        return [
            _Arena("kPersistentArenaSize", "persistent_arena", sizes[0]),
            _Arena("kNonPersistentArenaSize", "non_persistent_arena", sizes[1]),
        ]
    size = 0 if first.plan is None else first.plan.arena.recommended_bytes
    return [_Arena("kTensorArenaSize", "tensor_arena", size)]


def _arrays(arenas: Sequence[_Arena]) -> list[str]:
    lines = ["constexpr std::size_t kArenaAlignment = 16;"]
    lines += [f"constexpr std::size_t {one.constant} = {one.bytes};" for one in arenas]
    lines.append("")
    for one in arenas:
        lines.append(f"alignas(kArenaAlignment) inline std::uint8_t {one.name}[{one.constant}];")
    lines.append("")
    for one in arenas:
        lines += _assert(
            f"{one.constant} % kArenaAlignment == 0", "the size must be a multiple of 16"
        )
        lines += _assert(f"sizeof({one.name}) == {one.constant}", "the array must be that large")
    lines += _assert(
        "kArenaAlignment % alignof(std::max_align_t) == 0", "no structure may need more alignment"
    )
    return lines


def _abi_checks(report: PlanReport) -> list[str]:
    """What can be checked without TFLM: how wide pointers and enumerations are."""
    abi = report.profile.abi
    enumeration = _BYTES_OF_SHORT_ENUMERATION.get(abi.name, _BYTES_OF_ENUMERATION)
    return [
        "",
        comment(f"The size is exact for the ABI {abi.name}; tinyml plan --abi names another."),
        "enum AbiProbe { kAbiProbe };",
        *_assert(f"sizeof(void*) == {abi.pointer.bytes}", f"{abi.name}: width of a pointer"),
        *_assert(
            f"sizeof(AbiProbe) == {enumeration}",
            f"{abi.name}: width of an enumeration (-fshort-enums, -fno-short-enums)",
        ),
    ]


def _tflm_checks(abi: Abi) -> list[str]:
    """What can be checked where TFLM is at hand: sizes of structures that go into the arena."""
    lines = [
        comment("Defined before this header, TINYML_CHECK_TFLM compares with TFLM's own sources."),
        "#ifdef TINYML_CHECK_TFLM",
        *(f'#include "{header}"' for header in _CHECKED_HEADERS),
        "",
    ]
    for struct, name in _CHECKED:
        size = abi.layout(struct).bytes
        lines += _assert(f"sizeof({name}) == {size}", f"not TFLM {abi.tflm} for {abi.name}")
    return [*lines, "#endif  // TINYML_CHECK_TFLM"]


def _assert(condition: str, message: str) -> list[str]:
    line = f'static_assert({condition}, "{message}");'
    if len(line) <= 80:
        return [line]
    return [f"static_assert({condition},", f'              "{message}");']
