"""The work of a model for which nobody gives samples.

How often some loops run depends on values. A model that takes no time to run is run once on the
reference input, with which instructions have been measured, and its loops are counted. Of others
the mean over all values is told from shapes and weights; they have so many values that they come
near it.
"""

from __future__ import annotations

from tinyml_profiles.target import Core
from tinyml_profiles.work import ModelWork, model_work
from tinyml_runtime.errors import RunError
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.macs import count_macs
from tinyml_runtime.model.schema import Model

# Some tens of milliseconds.
MOST_MACS = 20_000_000
MOST_ELEMENTS = 5_000_000


def usual_work(
    model: Model,
    core: Core,
    library: str | KernelLibrary = "reference",
    mean: ModelWork | None = None,
) -> ModelWork:
    """What a small model executes on the reference input, else the mean over all values.

    The mean, too, where an operator does not take the reference input. It need not be counted again
    if it is given.

    Raises:
        UnsupportedModelError: nodes that cannot run, all of them.
    """
    mean = model_work(model, core, library) if mean is None else mean
    if not _is_quick(mean):
        return mean
    from tinyml_profiles.fed_work import fed_work  # large models do not run

    try:
        return fed_work(model, core, library, mean=mean)
    except RunError:
        return mean


class RecentWork:
    """The work of the model that was asked for last: many ask for one model on many targets.

    Targets share it whose kernel library and extensions are alike.
    """

    def __init__(self) -> None:
        """Begin with no model."""
        self._model: Model | None = None
        self._works: dict[tuple[str, frozenset[str]], ModelWork] = {}

    def of(self, model: Model, core: Core, library: str | KernelLibrary) -> ModelWork:
        """As `usual_work`; of a library that is no name anew each time."""
        if not isinstance(library, str):
            return usual_work(model, core, library)
        if model is not self._model:
            self._model, self._works = model, {}
        key = library, core.extensions
        if key not in self._works:
            self._works[key] = usual_work(model, core, library)
        return self._works[key]


def _is_quick(work: ModelWork) -> bool:
    """Whether nobody has to wait for a run: loops of a model may take any number of turns."""
    return (
        not work.calls
        and sum(count_macs(work.context(each), each.node) for each in work.nodes) <= MOST_MACS
        and sum(context.size for context in work.contexts) <= MOST_ELEMENTS
    )
