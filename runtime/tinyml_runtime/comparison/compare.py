"""A comparison from beginning to end: both sides, part by part of the samples, then the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyml_runtime.comparison.causes import Causes, find_causes
from tinyml_runtime.comparison.examination import Example, FindCauses
from tinyml_runtime.comparison.foreign import DEFAULT_SECONDS, ForeignRuntimeError
from tinyml_runtime.comparison.injection import Injection
from tinyml_runtime.comparison.layers import LayerComparison, LayerMeters
from tinyml_runtime.comparison.matching import match_models
from tinyml_runtime.comparison.oracles import ForeignSide, LibrarySide, ModelSide, Side
from tinyml_runtime.comparison.outputs import OutputComparison, OutputMeter
from tinyml_runtime.comparison.recording import Recording
from tinyml_runtime.comparison.watched import Watched, watch_layers, watch_outputs
from tinyml_runtime.errors import TinymlError, UnsupportedModelError
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.model.schema import Model
from tinyml_runtime.tensor import Array, Tensor

# Values of a part of the samples, of all sides together.
_PART_BYTES = 16 << 20
_LARGEST_PART = 256
# Built as TFLM builds them, these libraries give TFLM's values.
_AS_TFLM = ("tflm", "reference", "cmsis-nn", "esp-nn", "muriscv-nn")


@dataclass(frozen=True, slots=True)
class Against:
    """The other side: a foreign runtime by name, else another model, else a kernel library."""

    name: str
    foreign: str | None = None
    model: Model | None = None
    library: str | KernelLibrary = "reference"


@dataclass(frozen=True, slots=True)
class Conditions:
    """How to compare.

    `seconds` of processor time are a foreign runtime's limit for a request. `find_causes` takes the
    place of the rules that are tried on an operator that differs. With `record` the values of our
    side are kept.
    """

    library: str | KernelLibrary = "reference"
    layers: bool = False
    reset_between: bool = False
    seconds: int = DEFAULT_SECONDS
    find_causes: FindCauses | None = None
    record: bool = False


class Comparison:
    """A model on two sides. `notes` says in words what the figures are not about.

    `recording` has the values of our side by tensor, if the conditions ask for them.
    """

    def __init__(
        self, model: Model, content: bytes, against: Against, conditions: Conditions
    ) -> None:
        """Prepare both sides; `content` is the model's file.

        Raises TinymlError: one side cannot run the model, or the models have different inputs.
        """
        self.notes: list[str] = []
        self._model, self._content = model, content
        self._against, self._conditions = against, conditions
        sees_layers = conditions.layers or conditions.record
        self._watched = watch_layers(model) if sees_layers else watch_outputs(model)
        self.recording = Recording() if conditions.record else None
        self._ours = LibrarySide(
            model,
            conditions.library,
            self._watched.tensors,
            reset_between=conditions.reset_between,
        )
        outputs = Watched(self._watched.outputs)
        self._outputs_side = self._other_side(outputs, only_outputs=True)
        self._outputs = [OutputMeter(k, *self.output_forms(k)) for k in range(len(outputs.outputs))]
        self._layers_side: Side | None = None
        self._layers: LayerMeters | None = None
        if conditions.layers:
            try:
                self._prepare_layers()
            except TinymlError:
                self.close()
                raise

    @property
    def inputs(self) -> Sequence[Tensor]:
        """The inputs of the model that are no constants."""
        return self._ours.inputs

    @property
    def is_stateful(self) -> bool:
        """Whether a sample can depend on those before it."""
        return self._ours.is_stateful

    @property
    def part_samples(self) -> int:
        """How many samples to add at a time."""
        values = sum(form.size * form.dtype.itemsize for form in self._ours.forms)
        return min(_LARGEST_PART, max(1, _PART_BYTES // max(1, 4 * values)))

    def add(self, inputs: Sequence[Array]) -> tuple[list[Array], list[Array]]:
        """Compare some samples; gives the outputs of our side and of the other, [samples, *shape].

        Raises TinymlError where a side cannot go on.
        """
        samples = len(inputs[0]) if inputs else 1
        ours = self._ours.run(inputs)
        theirs = self._outputs_side.run(inputs)
        places = [self._watched.tensors.index(index) for index in self._watched.outputs]
        mine = [self._whole(ours[place], place) for place in places]
        other = [self._whole(theirs[place], place) for place in places]
        for meter, own, its in zip(self._outputs, mine, other, strict=True):
            meter.add(own, its)
        if self.recording is not None:
            self.recording.add(self._by_tensor(inputs, ours), samples)
        if self._layers is not None and self._layers_side is not None:
            self._add_layers(inputs, ours, other, samples)
        return mine, other

    def outputs(self) -> list[OutputComparison]:
        """Every output, over all samples."""
        return [meter.result() for meter in self._outputs]

    def output_forms(self, output: int) -> tuple[Tensor, Tensor]:
        """How each side, ours first, stores an output of the model."""
        place = self._watched.tensors.index(self._watched.outputs[output])
        ours, theirs = self._ours.forms[place], self._outputs_side.forms[place]
        assert theirs is not None  # outputs of models are matched, or refused
        return ours, theirs

    def layers(self) -> list[LayerComparison] | None:
        """Every output of every operator of the main subgraph; None where there are no layers."""
        return None if self._layers is None else self._layers.results()

    def close(self) -> None:
        """End the processes of the other side."""
        self._outputs_side.close()
        if self._layers_side is not None:
            self._layers_side.close()

    def _other_side(self, watched: Watched, *, only_outputs: bool) -> Side:
        try:
            return self._prepared_side(watched, only_outputs=only_outputs)
        except UnsupportedModelError as error:
            who = f"{error.source} with {self._against.name}"
            raise UnsupportedModelError(who, error.problems) from None

    def _prepared_side(self, watched: Watched, *, only_outputs: bool) -> Side:
        against, reset = self._against, self._conditions.reset_between
        if against.foreign is not None:
            forms = self._ours.forms[: len(watched.tensors)]
            return ForeignSide(
                self._model,
                self._content,
                against.foreign,
                forms,
                only_outputs=only_outputs,
                reset_between=reset,
                seconds=self._conditions.seconds,
            )
        if against.model is None:
            return LibrarySide(self._model, against.library, watched.tensors, reset_between=reset)
        matching = match_models(self._model, against.model, watched.tensors)
        if not only_outputs:
            self.notes.append(matching.words)
        return ModelSide(matching, self._conditions.library, reset_between=reset)

    def _prepare_layers(self) -> None:
        others = len(self._model.subgraphs) - 1
        if others:
            self.notes.append(
                "layers are those of the main subgraph; what it calls in "
                f"{'another' if others == 1 else f'{others} others'} counts for the caller"
            )
        try:
            side = self._other_side(self._watched, only_outputs=False)
        except ForeignRuntimeError as error:
            self._leave_out_layers(error)
            return
        injection = Injection(
            self._model,
            self._conditions.library,
            self._watched.tensors,
            side,
            reset_between=self._conditions.reset_between,
        )
        self._layers_side = side
        find = None
        if self._against.model is None:
            find = self._conditions.find_causes or self._find_causes
        self._layers = LayerMeters(self._watched, (self._ours, side), injection, find)

    def _find_causes(self, example: Example) -> Causes:
        """What one side does otherwise than TFLM: the other one, unless that computes as TFLM."""
        ours, theirs, who = example.ours, example.theirs, self._against.name
        library = self._conditions.library
        own = library if isinstance(library, str) else library.name
        if own not in _AS_TFLM and who in _AS_TFLM:
            ours, theirs, who = theirs, ours, own
        given = self._model, 0, example.op_index, example.inputs
        causes = find_causes(*given, ours, theirs, who)
        shares = tuple(replace(each, words=f"{who} {each.words}") for each in causes.shares)
        return replace(causes, shares=shares)

    def _add_layers(
        self, inputs: Sequence[Array], ours: list[Array | None], outputs: list[Array], samples: int
    ) -> None:
        assert self._layers is not None
        assert self._layers_side is not None
        try:
            theirs = self._layers_side.run(inputs)
        except ForeignRuntimeError as error:
            self._leave_out_layers(error)
            return
        by_tensor = dict(zip((t.index for t in self.inputs), inputs, strict=True))
        self._layers.add(by_tensor, ours, theirs, samples)
        kept = [theirs[self._watched.tensors.index(index)] for index in self._watched.outputs]
        if not all(map(_is_same, kept, outputs)):
            self._note_once(
                f"with the values between its operators kept, {self._against.name} gives other "
                "outputs: the layers are those of that run"
            )

    def _by_tensor(
        self, inputs: Sequence[Array], watched: Sequence[Array | None]
    ) -> dict[int, Array]:
        """The model's inputs and what was watched, by the tensors' indices."""
        values = dict(zip(self._watched.tensors, watched, strict=True))
        fed = {tensor.index: array for tensor, array in zip(self.inputs, inputs, strict=True)}
        return fed | {index: array for index, array in values.items() if array is not None}

    def _leave_out_layers(self, error: ForeignRuntimeError) -> None:
        if self._layers_side is not None:
            self._layers_side.close()
        self._layers = self._layers_side = None
        self._note_once(f"no layers, their values cannot be had: {error}")

    def _note_once(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _whole(self, array: Array | None, place: int) -> Array:
        if array is None:
            name = self._ours.forms[place].name
            what = f"gives output '{name}' in another type or shape than the model's file says"
            raise ForeignRuntimeError(self._against.name, what)
        return array


def _is_same(kept: Array | None, output: Array) -> bool:
    return kept is not None and kept.tobytes() == np.ascontiguousarray(output).tobytes()
