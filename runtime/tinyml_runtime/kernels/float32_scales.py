"""Kernels that divide scales in float32, as TFLM did at the named commit: later builds do not.

Source    tflite-micro at 90b983c2, `micro/kernels/{sub_common,activations_common,
          leaky_relu_common,elementwise,div}.cc`
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyml_runtime.arena_uses.reference import REFERENCE_USES
from tinyml_runtime.fixed_point import float32_scales
from tinyml_runtime.kernels import REFERENCE
from tinyml_runtime.library import KernelLibrary, load_entry
from tinyml_runtime.registration import Node, PrepareContext, Registration
from tinyml_runtime.workloads.reference import REFERENCE_WORKLOADS

OPERATORS = ("ABS", "DIV", "LEAKY_RELU", "RELU", "RSQRT", "SUB")


def build(library: KernelLibrary) -> KernelLibrary:
    """The library with these kernels; what they ask of arena and time stays as it is."""
    kernels = {
        name: _dividing_in_float32(load_entry(library.kernels.get(name, REFERENCE.kernels[name])))
        for name in OPERATORS
    }
    uses = {name: REFERENCE_USES[name] for name in OPERATORS if name in REFERENCE_USES}
    works = {name: REFERENCE_WORKLOADS[name] for name in OPERATORS if name in REFERENCE_WORKLOADS}
    return replace(
        library,
        kernels={**library.kernels, **kernels},
        arena_uses=uses | dict(library.arena_uses),
        workloads=works | dict(library.workloads),
    )


def _dividing_in_float32(registration: Registration[Any]) -> Registration[Any]:
    def prepare(context: PrepareContext, node: Node) -> Any:
        with float32_scales():
            return registration.prepare(context, node)

    return replace(registration, prepare=prepare)
