"""ethos-u: a command stream for Arm's NPU, into which its compiler turns whole parts of a model.

Shapes    command stream, weights, two arenas, then the inputs of that part -> its outputs
Types     any
Source    tflite-micro kernels/ethos_u/ethosu.cc

The operator is known so that a model with it is refused for the right reason: what the NPU would
compute stands in its command stream only, and that is not executed here.
"""

from __future__ import annotations

from typing import NoReturn

from tinyml_runtime.errors import NodeError
from tinyml_runtime.registration import EvalContext, Node, PrepareContext, Registration


def prepare(context: PrepareContext, node: Node) -> NoReturn:
    """Refuse the node."""
    raise NodeError(
        "this is work for an Ethos-U NPU, which is not executed here",
        "take the model as it was before Vela compiled it",
    )


def evaluate(context: EvalContext, node: Node, data: NoReturn) -> None:
    """Never called, as no such node is ever prepared."""


ETHOS_U: Registration[NoReturn] = Registration("ethos-u", prepare, evaluate)
