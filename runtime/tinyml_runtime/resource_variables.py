"""Resource variables: state that every subgraph of a model reaches by a container and a name.

Source: tflite-micro `micro/micro_resource_variable.cc`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_runtime.tensor import Array, Tensor


@dataclass(slots=True, eq=False)
class ResourceVariable:
    """The bytes of one variable; it has none before a node that assigns to it is prepared."""

    container: str
    shared_name: str
    values: Array | None = None
    initial: int = 0

    def allocate(self, value: Tensor) -> int:
        """Make room for values like those of `value`, where there is none yet; gives its bytes."""
        if self.values is None:
            self.initial = int(np.array(value.zero_point).astype(np.int8))
            self.values = np.full(value.size * value.dtype.itemsize, self.initial, np.int8)
        return self.values.nbytes

    def reset(self) -> None:
        """Fill with the initial value: the zero point, in every byte, whatever the type."""
        if self.values is not None:
            self.values.fill(self.initial)


class ResourceVariables:
    """The variables of a model, numbered in the order in which they are named."""

    def __init__(self) -> None:
        """Start without variables."""
        self._variables: list[ResourceVariable] = []
        self._handles: dict[tuple[int, int], int] = {}

    def name(self, container: str, shared_name: str) -> int:
        """The number of the variable with this name, which is made where there is none."""
        for number, variable in enumerate(self._variables):
            if (variable.container, variable.shared_name) == (container, shared_name):
                return number
        self._variables.append(ResourceVariable(container, shared_name))
        return len(self._variables) - 1

    @property
    def count(self) -> int:
        """How many variables have been named."""
        return len(self._variables)

    def find(self, number: int) -> ResourceVariable | None:
        """The variable with this number, or None."""
        return self._variables[number] if 0 <= number < len(self._variables) else None

    def set_handle(self, subgraph: int, tensor: int, number: int) -> None:
        """Note that this tensor always holds the number of that variable."""
        self._handles[subgraph, tensor] = number

    def handle(self, subgraph: int, tensor: int) -> int | None:
        """The number that this tensor is known to hold."""
        return self._handles.get((subgraph, tensor))
