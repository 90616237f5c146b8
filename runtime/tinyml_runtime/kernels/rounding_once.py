"""Kernels that round rescaled values once: the build switch TFLITE_SINGLE_ROUNDING.

Everything that multiplies by a quantized multiplier follows the switch (`fixed_point.py`). So does
RESIZE_BILINEAR of int8, and SOFTMAX and LOG_SOFTMAX, whose multiplier is then a bit shorter. What
rounds in gemmlowp's own functions does not: HARD_SWISH, and the curves behind LOGISTIC and TANH.

Source    tflite-micro `lite/kernels/internal/common.{cc,h}`, `quantization_util.cc`,
          `reference/resize_bilinear.h`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ParamSpec, TypeAlias, TypeVar, cast

from tinyml_runtime.fixed_point import single_rounding
from tinyml_runtime.library import Entry, KernelLibrary, load_entry
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    Registration,
)

Given = ParamSpec("Given")
ResultT = TypeVar("ResultT")
# Whether the switch has a say in what the node computes.
Applies: TypeAlias = Callable[[PrepareContext | EvalContext, Node], bool]


def build_reference(library: KernelLibrary) -> KernelLibrary:
    """TFLM with the switch: all its kernels."""
    kernels = KernelsRoundingOnce(library.kernels, dict.fromkeys(library.kernels, always))
    return replace(library, kernels=kernels)


def always(context: PrepareContext | EvalContext, node: Node) -> bool:
    """The switch has a say in every node of the operator."""
    return True


class KernelsRoundingOnce(Mapping[str, Entry]):
    """A table of kernels; those that are named in `applies` round once, where it says so."""

    def __init__(self, kernels: Mapping[str, Entry], applies: Mapping[str, Applies]) -> None:
        """Leave every kernel where it is until a model needs it."""
        self._kernels, self._applies = kernels, applies

    def __getitem__(self, operator: str) -> Entry:
        """The kernel of an operator."""
        entry = self._kernels[operator]
        applies = self._applies.get(operator)
        return entry if applies is None else rounding_once(load_entry(entry), applies)

    def __contains__(self, operator: object) -> bool:
        """Whether there is one; loads none."""
        return operator in self._kernels

    def __iter__(self) -> Iterator[str]:
        """The operators."""
        return iter(self._kernels)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._kernels)


def rounding_once(registration: Registration[Any], applies: Applies) -> Registration[Any]:
    """The same kernel, rounding once where `applies` says so."""

    def prepare(context: PrepareContext, node: Node) -> Any:
        own = registration.prepare
        return _within(own, context, node) if applies(context, node) else own(context, node)

    evaluate = registration.evaluate
    if isinstance(evaluate, BindingEvaluate):
        binding = cast("BindingEvaluate[Any]", evaluate)
        bound = BindingEvaluate(partial(_bind, binding, applies))
        return replace(registration, prepare=prepare, evaluate=bound)

    def run(context: EvalContext, node: Node, data: Any) -> None:
        if applies(context, node):
            _within(evaluate, context, node, data)
        else:
            evaluate(context, node, data)

    return replace(registration, prepare=prepare, evaluate=run)


def _bind(
    binding: BindingEvaluate[Any], applies: Applies, context: EvalContext, node: Node, data: Any
) -> Callable[[], object]:
    if not applies(context, node):
        return binding.bind(context, node, data)
    return partial(_within, _within(binding.bind, context, node, data))


def _within(
    function: Callable[Given, ResultT], /, *args: Given.args, **kwargs: Given.kwargs
) -> ResultT:
    with single_rounding():
        return function(*args, **kwargs)
