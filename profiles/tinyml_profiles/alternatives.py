"""The same model in other builds of TFLM: which one is it that printed a figure?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tinyml_profiles.load import load_target
from tinyml_runtime.errors import TinymlError
from tinyml_runtime.memory.abi import load_abi
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.linear_planner import LinearPlanner
from tinyml_runtime.memory.planner import MemoryPlanner
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.schema import Model
from tinyml_runtime.planning.arena_plan import ArenaPlan, arena_figures, plan_arena

_RECORDING = "RecordingSingleArenaBufferAllocator", "RecordingMicroAllocator"
# Libraries, and cores for which they ask for other buffers; None where that makes no difference.
_BUILDS = (
    ("reference", "arm-eabi", None),
    ("cmsis-nn", "arm-eabi", "cortex-m4"),
    ("cmsis-nn", "arm-eabi", "cortex-m55"),
    ("cmsis-nn", "arm-eabi", "cortex-m0"),
    ("reference", "ilp32", None),
    ("esp-nn", "ilp32", "xtensa-lx6"),
    ("esp-nn", "ilp32", "esp32s3"),
    ("esp-nn", "ilp32", "esp32p4"),
    ("muriscv-nn", "ilp32", None),
    ("cmsis-nn", "ilp32", "cortex-m4"),
    ("reference", "lp64", None),
)


@dataclass(frozen=True, slots=True)
class Alternative:
    """A build of TFLM, in words, and the arena of the model in it."""

    name: str
    plan: ArenaPlan


def alternatives(model: Model, plan: ArenaPlan) -> Iterator[Alternative]:
    """Other builds than that of `plan`, those first that differ least.

    Where the model does not run in one, that is left out.
    """
    yield Alternative("a RecordingMicroInterpreter", with_recording(plan))
    linear = _plan(model, plan.profile, LinearPlanner(), plan.library)
    if linear is not None:
        yield Alternative("an interpreter that preserves all tensors", linear)
    for library, abi, core in _BUILDS:
        profile = _profile(abi, core, plan.profile)
        if (library, abi, profile.extensions) == _build_of(plan):
            continue
        other = _plan(model, profile, GreedyPlanner(), library)
        if other is not None:
            name = f"{library} kernels, ABI {abi}{f', {core}' if core else ''}"
            yield Alternative(name, other)
            yield Alternative(f"{name}, a RecordingMicroInterpreter", with_recording(other))


def with_recording(plan: ArenaPlan) -> ArenaPlan:
    """The same for tflite::RecordingMicroInterpreter, whose allocators are larger."""
    abi = plan.profile.abi
    structs = iter(_RECORDING)
    calls = [
        replace(call, bytes=abi.layout(next(structs)).bytes)
        if call.kind == "arena allocator"
        else call
        for call in plan.calls
    ]
    figures = arena_figures(calls, plan.nodes, len(plan.buffers))
    return replace(plan, calls=calls, arena=figures)


def _build_of(plan: ArenaPlan) -> tuple[str, str, frozenset[str]]:
    return plan.library, plan.profile.abi.name, plan.profile.extensions


def _profile(abi: str, core: str | None, like: RuntimeProfile) -> RuntimeProfile:
    table = load_abi(abi, compression=like.abi.has_compression)
    if core is None:
        return RuntimeProfile(table)
    return RuntimeProfile(table, load_target(core).core.extensions, core)


def _plan(
    model: Model, profile: RuntimeProfile, planner: MemoryPlanner, library: str
) -> ArenaPlan | None:
    try:
        return plan_arena(model, profile, planner, library)
    except TinymlError:
        return None
