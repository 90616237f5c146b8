"""The work of a model for which nobody gives samples.

How often some loops run depends on values. The mean over all values is told from shapes and
weights. Where it says little, as of floats without an FPU, a model is run on the reference input,
with which instructions have been measured, and its loops are counted.
"""

from __future__ import annotations

from tinyml_profiles.instructions import count_instructions
from tinyml_profiles.loops import find_loops
from tinyml_profiles.target import Core
from tinyml_profiles.work import ModelWork, model_work
from tinyml_runtime.errors import RunError
from tinyml_runtime.library import KernelLibrary, base_name
from tinyml_runtime.macs import count_macs
from tinyml_runtime.model.schema import Model

# The share of all instructions from which on values matter.
LEAST_SHARE = 0.01
# A second or so. Larger models have so many values that they come near their mean.
MOST_MACS = 200_000_000
MOST_ELEMENTS = 20_000_000


def usual_work(model: Model, core: Core, library: str | KernelLibrary = "reference") -> ModelWork:
    """The mean over all values, or counts of a run on the reference input where values matter.

    Raises:
        UnsupportedModelError: nodes that cannot run, all of them.
    """
    work = model_work(model, core, library)
    if not values_matter(work, core, library):
        return work
    return reference_work(model, core, library, work)


def values_matter(work: ModelWork, core: Core, library: str | KernelLibrary) -> bool:
    """Whether values decide about a share of the instructions that is worth a run."""
    name = base_name(library if isinstance(library, str) else library.name)
    loops = find_loops(core, name)
    if loops is None:
        return False
    counted = [count_instructions(each.loops, loops.table) for each in work.nodes]
    varying = sum(each.total * each.spread for each in counted)
    if varying < LEAST_SHARE * sum(each.total for each in counted):
        return False
    return _is_quick(work)


def _is_quick(work: ModelWork) -> bool:
    """Whether nobody has to wait for a run: loops of a model may take any number of turns."""
    return (
        not work.calls
        and sum(count_macs(work.context(each), each.node) for each in work.nodes) <= MOST_MACS
        and sum(context.size for context in work.contexts) <= MOST_ELEMENTS
    )


def reference_work(
    model: Model, core: Core, library: str | KernelLibrary, mean: ModelWork
) -> ModelWork:
    """The work of a run on the reference input; `mean` where an operator does not take that."""
    from tinyml_profiles.fed_work import fed_work  # most profiles run nothing

    try:
        return fed_work(model, core, library)
    except RunError:
        return mean
