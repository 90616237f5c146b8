"""The behaviour of `.tflite` models on a microcontroller: loader, kernels, interpreter.

>>> from tinyml_runtime import Interpreter, load_model
>>> interpreter = Interpreter(load_model("examples/sine.tflite"), library="reference")
>>> interpreter.allocate_tensors()
>>> interpreter.invoke()
>>> interpreter.output(0).shape
(1, 1)

Names are imported when they are first used, so that nobody waits for what they do not need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinyml_runtime.errors import (
        InputError,
        LibraryError,
        ModelError,
        NodeError,
        NodeProblem,
        RunError,
        TinymlError,
        UnsupportedModelError,
    )
    from tinyml_runtime.events import Event, Listener, NodeFinished, NodeStarted
    from tinyml_runtime.interpreter import Interpreter
    from tinyml_runtime.library import KernelLibrary
    from tinyml_runtime.model.load import load_model
    from tinyml_runtime.model.schema import Model
    from tinyml_runtime.model.write import write_model
    from tinyml_runtime.registration import Node, Registration
    from tinyml_runtime.resolver import OpResolver, library_names
    from tinyml_runtime.tensor import Array, QuantizationParams, Tensor
    from tinyml_runtime.types import BuiltinOperator, TensorType

__all__ = [
    "Array",
    "BuiltinOperator",
    "Event",
    "InputError",
    "Interpreter",
    "KernelLibrary",
    "LibraryError",
    "Listener",
    "Model",
    "ModelError",
    "Node",
    "NodeError",
    "NodeFinished",
    "NodeProblem",
    "NodeStarted",
    "OpResolver",
    "QuantizationParams",
    "Registration",
    "RunError",
    "Tensor",
    "TensorType",
    "TinymlError",
    "UnsupportedModelError",
    "library_names",
    "load_model",
    "write_model",
]

_EXPORTS = {
    "errors": (
        "InputError",
        "LibraryError",
        "ModelError",
        "NodeError",
        "NodeProblem",
        "RunError",
        "TinymlError",
        "UnsupportedModelError",
    ),
    "events": ("Event", "Listener", "NodeFinished", "NodeStarted"),
    "interpreter": ("Interpreter",),
    "library": ("KernelLibrary",),
    "model.load": ("load_model",),
    "model.schema": ("Model",),
    "model.write": ("write_model",),
    "registration": ("Node", "Registration"),
    "resolver": ("OpResolver", "library_names"),
    "tensor": ("Array", "QuantizationParams", "Tensor"),
    "types": ("BuiltinOperator", "TensorType"),
}
_HOMES = {name: module for module, names in _EXPORTS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import the module that has `name`, and keep it here."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
