"""Outputs against expected values: accuracy of a classifier, mean absolute error otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml_cli.running.classes import class_count, is_binary
from tinyml_cli.running.report import ClassScore, Confusion, ErrorScore
from tinyml_runtime import Array, InputError, Interpreter


def score(
    interpreter: Interpreter,
    output: int,
    real: Array,
    expected: Array,
    labels: Sequence[str],
    where: str,
) -> ClassScore | ErrorScore:
    """Score the real values [samples, elements] of an output.

    Class numbers (one a sample) and one-hot rows ask for the accuracy, any other numbers of the
    output's size for the error. InputError where the expected values fit neither.
    """
    if expected.dtype.kind not in "iufb":
        raise InputError(f"{where}: holds {expected.dtype}, not numbers")
    classes = 2 if is_binary(interpreter, output) else class_count(interpreter, output)
    numbers = class_numbers(expected, len(real), classes)
    if numbers is None:
        return _errors(output, real, expected, where)
    predicted = predicted_classes(interpreter, output, real)
    return _accuracy(output, predicted, numbers, classes, labels, where)


def predicted_classes(interpreter: Interpreter, output: int, real: Array) -> Array:
    """The class that each sample's real values [samples, elements] of an output prefer."""
    if is_binary(interpreter, output):
        return (real[:, 0] > 0.5).astype(np.int64)
    return real.argmax(axis=1)


def class_numbers(expected: Array, samples: int, classes: int) -> Array | None:
    """One class number a sample where `expected` holds classes, else None."""
    if classes < 2 or not np.array_equal(expected, np.trunc(expected)):
        return None
    if expected.size == samples:
        return expected.reshape(samples).astype(np.int64)
    is_one_hot = expected.shape == (samples, classes) and (
        bool((np.sort(expected, axis=1)[:, :-1] == 0).all())
        and bool((expected.max(axis=1) == 1).all())
    )
    return expected.argmax(axis=1) if is_one_hot else None


def _accuracy(
    output: int,
    predicted: Array,
    expected: Array,
    classes: int,
    labels: Sequence[str],
    where: str,
) -> ClassScore:
    wrong = np.flatnonzero((expected < 0) | (expected >= classes))
    if wrong.size:
        place = int(wrong[0])
        raise InputError(
            f"{where}: class {expected[place]} of sample {place} is none of the output's "
            f"{classes} (0..{classes - 1})"
        )
    pairs, counts = np.unique(np.stack([expected, predicted], axis=1), axis=0, return_counts=True)
    confusion = [
        Confusion(int(pair[0]), int(pair[1]), int(count))
        for pair, count in zip(pairs, counts, strict=True)
    ]
    return ClassScore(output, classes, len(expected), labels, confusion)


def _errors(output: int, values: Array, expected: Array, where: str) -> ErrorScore:
    if expected.size != values.size:
        raise InputError(
            f"{where}: shape {list(expected.shape)} fits neither classes nor values of output "
            f"{output} ({len(values)} samples of {values.shape[1]} elements)"
        )
    errors = np.abs(values.astype(np.float64) - expected.reshape(values.shape).astype(np.float64))
    return ErrorScore(output, len(values), float(errors.mean()), float(errors.max()))
