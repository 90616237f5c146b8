"""Both sides against expected values, and the samples on which they disagree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml_cli.comparing.report import Disagreement, Scores
from tinyml_cli.inputs.labels import Expectation
from tinyml_cli.running.report import ClassScore
from tinyml_cli.running.scoring import class_numbers, predicted_classes, score
from tinyml_runtime import Array, Interpreter
from tinyml_runtime.quantization import dequantize
from tinyml_runtime.tensor import Tensor


class OutputRecorder:
    """Keeps the real values of one output, of both sides."""

    def __init__(self, expectation: Expectation, forms: tuple[Tensor, Tensor]) -> None:
        """`forms` say how either side stores the output."""
        self._expectation = expectation
        self._forms = forms
        self._parts: tuple[list[Array], list[Array]] = ([], [])

    def add(self, ours: Sequence[Array], theirs: Sequence[Array]) -> None:
        """Keep some samples, out of the outputs of both sides."""
        output = self._expectation.output
        for parts, side, form in zip(self._parts, (ours, theirs), self._forms, strict=True):
            values = side[output]
            parts.append(dequantize(values, form).reshape(len(values), -1))

    def scores(self, interpreter: Interpreter) -> Scores:
        """Both sides scored; InputError where the expected values fit neither."""
        output, expected, path = self._expectation
        sides = [np.concatenate(parts) for parts in self._parts]
        ours, theirs = (score(interpreter, output, real, expected, (), str(path)) for real in sides)
        if not isinstance(ours, ClassScore):
            return Scores(ours, theirs, ())
        classes = [predicted_classes(interpreter, output, real) for real in sides]
        wanted = class_numbers(expected, len(classes[0]), ours.classes)
        apart = np.flatnonzero(classes[0] != classes[1]).tolist()
        disagreements = [
            Disagreement(
                sample,
                int(classes[0][sample]),
                int(classes[1][sample]),
                None if wanted is None else int(wanted[sample]),
            )
            for sample in apart
        ]
        return Scores(ours, theirs, disagreements)
