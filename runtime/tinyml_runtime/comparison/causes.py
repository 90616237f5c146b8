"""Why an operator gives other values elsewhere: each mismatch by a rule that gives their value.

A rule is a formula by which other runtimes compute, `rules/`. It explains an element if it gives
theirs, exactly; floats, if both sides lie as near to the exact value as rounding allows. A rule
that by chance hits some elements is none: it must mend more elements than it spoils.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.comparison.rules.curves import FUNCTIONS, function_rules, softmax_rules
from tinyml_runtime.comparison.rules.elementwise import (
    product_rules,
    quantize_rules,
    rectifier_rules,
    relu6_rules,
    sum_rules,
)
from tinyml_runtime.comparison.rules.layers import LAYERS, layer_rules
from tinyml_runtime.comparison.rules.lstm import lstm_rules
from tinyml_runtime.comparison.rules.reductions import pooling_rules, reduction_rules
from tinyml_runtime.comparison.rules.rule import Operation, Rule
from tinyml_runtime.errors import NodeError
from tinyml_runtime.interpreter import DEFAULT_MEMORY_LIMIT_BYTES
from tinyml_runtime.model.schema import Model
from tinyml_runtime.model_tensors import make_tensors
from tinyml_runtime.prepared_model import nodes_of
from tinyml_runtime.tensor import Array

_RULES: Mapping[str, Callable[[Operation], Iterator[Rule]]] = {
    **dict.fromkeys(LAYERS, layer_rules),
    **dict.fromkeys(FUNCTIONS, function_rules),
    **dict.fromkeys(("ADD", "SUB"), sum_rules),
    **dict.fromkeys(("LEAKY_RELU", "RELU"), rectifier_rules),
    **dict.fromkeys(("MEAN", "SUM"), reduction_rules),
    **dict.fromkeys(("LOG_SOFTMAX", "SOFTMAX"), softmax_rules),
    "AVERAGE_POOL_2D": pooling_rules,
    "MUL": product_rules,
    "QUANTIZE": quantize_rules,
    "RELU6": relu6_rules,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm_rules,
}


@dataclass(frozen=True, slots=True)
class CauseShare:
    """A cause by name and in words, and how many mismatched elements it explains."""

    name: str
    words: str
    elements: int


@dataclass(frozen=True, slots=True)
class Causes:
    """Why elements differ, the cause of most first; `unexplained` are those without one."""

    shares: tuple[CauseShare, ...]
    unexplained: int
    mismatched: int


@dataclass(frozen=True, slots=True)
class _Trial:
    """A rule with what it got right: mismatches that it mends, less matches that it spoils."""

    rule: Rule
    right: Array
    gain: int


def find_causes(
    model: Model,
    subgraph: int,
    op_index: int,
    inputs: Sequence[Array | None],
    ours: Sequence[Array],
    theirs: Sequence[Array],
    library: str,
) -> Causes:
    """Why the outputs of an operator differ, which both sides computed from the same inputs.

    `inputs` are by the operator's input position, None where it is absent or a constant of the
    model; `ours` and `theirs` are all outputs, in shapes of as many elements as the model's tensors
    have. `library` says who they are: integer kernels for microcontrollers, ours and TFLM's, are
    not suspected of floats.
    """
    mismatched = sum(_differ(mine, other) for mine, other in zip(ours, theirs, strict=True))
    if not mismatched or ours[0].size != theirs[0].size:
        return Causes((), mismatched, mismatched)
    operation = operation_of(model, subgraph, op_index, inputs)
    rules = _RULES.get(operation.node.operator, _no_rules)(operation)
    if not library.startswith("tflite"):
        rules = (rule for rule in rules if not rule.in_floats)
    first, other = ours[0].reshape(-1), theirs[0].reshape(-1)
    wrong = ~_equal(first, other)
    found: dict[str, CauseShare] = {}
    for trial in _trials(rules, first, other, wrong):
        explained = int(np.count_nonzero(trial.right & wrong))
        wrong &= ~trial.right
        before = found.get(trial.rule.name)
        total = explained + (before.elements if before else 0)
        if total:
            found[trial.rule.name] = CauseShare(trial.rule.name, trial.rule.words, total)
    shares = sorted(found.values(), key=lambda share: -share.elements)
    return Causes(tuple(shares), mismatched - sum(share.elements for share in shares), mismatched)


def _no_rules(operation: Operation) -> Iterator[Rule]:
    """An operator that only moves or compares values: it has nothing to round."""
    return iter(())


def _trials(rules: Iterator[Rule], ours: Array, theirs: Array, wrong: Array) -> Sequence[_Trial]:
    """The rules that make matters better, the best first; the first perfect one alone."""
    trials: list[_Trial] = []
    try:
        for rule in rules:
            trial = _try(rule, ours, theirs, wrong)
            if trial.right.all():
                return [trial]
            if trial.gain > 0:
                trials.append(trial)
    except NodeError:
        # A form that no rule computes: what is not explained so far stays so.
        return trials
    return sorted(trials, key=lambda trial: -trial.gain)


def _try(rule: Rule, ours: Array, theirs: Array, wrong: Array) -> _Trial:
    with np.errstate(all="ignore"):
        values = rule.recompute().reshape(-1)
        if rule.bound is None:
            right = _equal(values, theirs)
        else:
            bound = rule.bound().reshape(-1)
            right = np.abs(theirs - values) <= bound
            right &= np.abs(ours - values) <= bound
            right |= ~wrong
    mended = int(np.count_nonzero(right & wrong))
    return _Trial(rule, right, mended - int(np.count_nonzero(~right & ~wrong)))


def operation_of(
    model: Model, subgraph: int, op_index: int, inputs: Sequence[Array | None]
) -> Operation:
    """An operator with the inputs that it is given, which are as in `find_causes`."""
    tensors = make_tensors(model, DEFAULT_MEMORY_LIMIT_BYTES)[subgraph]
    node = nodes_of(model, subgraph)[op_index]
    for index, values in zip(node.inputs, inputs, strict=True):
        if index >= 0 and values is not None:
            tensors[index].values = values
    return Operation(
        node,
        [tensors[index] if index >= 0 else None for index in node.inputs],
        [tensors[index] for index in node.outputs],
    )


def _differ(ours: Array, theirs: Array) -> int:
    if ours.size != theirs.size:
        return ours.size
    return int(np.count_nonzero(~_equal(ours.reshape(-1), theirs.reshape(-1))))


def _equal(ours: Array, theirs: Array) -> Array:
    equal = ours == theirs
    if ours.dtype.kind in "fc":
        equal |= np.isnan(ours) & np.isnan(theirs)
    return np.asarray(equal)
