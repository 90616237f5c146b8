"""Which outputs are those of a classifier, and which classes it prefers."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from tinyml_cli.running.report import RankedClass
from tinyml_runtime import Array, Interpreter

TOP = 5
_CLASSIFYING = ("SOFTMAX", "LOG_SOFTMAX")
_REARRANGING = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "QUANTIZE", "DEQUANTIZE")


def is_classifier(interpreter: Interpreter, output: int) -> bool:
    """Whether an output is one vector of class scores: a softmax ends there."""
    return class_count(interpreter, output) > 1 and _maker(interpreter, output) in _CLASSIFYING


def is_binary(interpreter: Interpreter, output: int) -> bool:
    """Whether an output is one probability: a logistic function of one element ends there."""
    return class_count(interpreter, output) == 1 and _maker(interpreter, output) == "LOGISTIC"


def class_count(interpreter: Interpreter, output: int) -> int:
    """Elements of an output that is one vector; 0 for an output with more than one dimension."""
    shape = interpreter.outputs[output].shape
    lengths = [length for length in shape if length != 1]
    return prod(lengths) if len(lengths) <= 1 else 0


def labels_for(interpreter: Interpreter, output: int, labels: Sequence[str]) -> Sequence[str]:
    """The labels, if they are as many as the output's classes; else none."""
    classes = 2 if is_binary(interpreter, output) else class_count(interpreter, output)
    return labels if len(labels) == classes else ()


def rank(real: Array, samples: int, labels: Sequence[str]) -> list[list[RankedClass]]:
    """The best classes of each sample, best first; of equal ones the first."""
    scores = real.reshape(samples, -1)
    best = np.argsort(-scores.astype(np.float64), axis=1, kind="stable")[:, :TOP]
    return [
        [
            RankedClass(index, labels[index] if labels else "", float(scores[sample, index]))
            for index in map(int, row)
        ]
        for sample, row in enumerate(best)
    ]


def _maker(interpreter: Interpreter, output: int) -> str:
    """The operator that computes an output, behind those that only rearrange it."""
    makers = {index: node for node in interpreter.nodes() for index in node.outputs}
    tensor = interpreter.outputs[output].index
    for _ in range(len(makers)):
        node = makers.get(tensor)
        if node is None:
            return ""
        if node.operator not in _REARRANGING:
            return node.operator
        tensor = node.inputs[0]
    return ""
