"""The arena of a model on a target."""

from __future__ import annotations

from tinyml_profiles.load import load_target
from tinyml_profiles.target import Target
from tinyml_runtime.library import KernelLibrary, base_name
from tinyml_runtime.memory.abi import load_abi
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.planner import MemoryPlanner
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.check import COMPRESSION
from tinyml_runtime.model.schema import Model
from tinyml_runtime.planning.arena_plan import ArenaPlan, plan_arena

DEFAULT_ABI = "arm-eabi"
# The core that a library's kernels are taken to be compiled for if none is named.
USUAL_CORES = {"cmsis-nn": "cortex-m4", "esp-nn": "xtensa-lx6", "muriscv-nn": "rv32imc"}
# The libraries that are built for an ABI.
USUAL_LIBRARIES = {
    "arm-eabi": ("reference", "cmsis-nn"),
    "ilp32": ("reference", "esp-nn", "muriscv-nn"),
}


def runtime_profile(
    model: Model,
    target: Target | str | None = None,
    library: str = "reference",
    *,
    abi: str | None = None,
    tflm: str | None = None,
) -> RuntimeProfile:
    """The build of TFLM for a target, or for an ABI, with a kernel library.

    Without a target it is that of the library's usual core. A compressed model needs a build with
    support for compression.

    Raises:
        TargetError: there is no such target.
        AbiError: there is no table of structure sizes for that ABI and revision of TFLM.
    """
    if target is None:
        target = USUAL_CORES.get(base_name(library))
    if isinstance(target, str):
        target = load_target(target)
    core = None if target is None else target.core
    name = abi or (DEFAULT_ABI if core is None else core.abi)
    is_compressed = any(entry.name == COMPRESSION for entry in model.metadata)
    table = load_abi(name, tflm, compression=True if is_compressed else None)
    if core is None:
        return RuntimeProfile(table)
    return RuntimeProfile(table, core.extensions, core.name)


def plan_model(
    model: Model,
    target: Target | str | None = None,
    library: str | KernelLibrary = "reference",
    *,
    planner: MemoryPlanner | None = None,
    abi: str | None = None,
    tflm: str | None = None,
) -> ArenaPlan:
    """Plan the arena of `model` on `target`, with TFLM's greedy planner if no other is given.

    Raises:
        UnsupportedModelError: nodes that cannot run, all of them.
        ModelError: a defective file, or a memory plan in it that does not fit.
        TargetError, AbiError, ArenaUnknownError, LibraryError: what is not known.
    """
    name = library if isinstance(library, str) else library.name
    profile = runtime_profile(model, target, name, abi=abi, tflm=tflm)
    return plan_arena(model, profile, planner or GreedyPlanner(), library)
