"""The planned part of an arena as bytes: its tensors lie at their offsets, as on the device.

What TFLM keeps elsewhere stays elsewhere: constants, variable tensors without a given offset,
outputs in memory of a kernel's own, tensors without bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tinyml_runtime.errors import PlanError
from tinyml_runtime.events import Event
from tinyml_runtime.planning.arena_plan import ArenaPlan
from tinyml_runtime.planning.overlaps import check_disjoint
from tinyml_runtime.planning.sequence import tensor_bytes
from tinyml_runtime.tensor import Array, Tensor

# Vector instructions of the computer at hand load from here, and kernels look the same to it.
_ALIGNMENT = 64
# Neither a likely result nor a valid truth value: reading dead bytes does not go unnoticed.
PATTERN = 0xA5


class ArenaMemory:
    """One array of bytes for all buffers of a plan.

    It listens to the run: while a node is evaluated its scratch buffers hold the pattern, so that a
    tensor that would lie there is spoilt, as a kernel on the device would spoil it.
    """

    def __init__(self, plan: ArenaPlan) -> None:
        """Lay out `plan`.

        Raises:
            PlanError: buffers overlap that are in use at the same time.
        """
        self._buffers = list(zip(plan.buffers, plan.plan.offsets, strict=True))
        check_disjoint(plan.buffers, plan.plan.offsets)
        self.size = plan.plan.bytes
        self._bytes: Array = np.empty(0, np.uint8)
        self._variables: list[Array] = []
        self._scratch: dict[tuple[int, int], list[Array]] = {}

    def place(self, tensors: Sequence[Sequence[Tensor]]) -> None:
        """Move every tensor of the plan to its place, with spoilt values.

        Raises:
            PlanError: the plan is not for a model with these tensors.
        """
        self._bytes = _aligned_bytes(self.size)
        self._variables.clear()
        for tensor, stretch in self._tensors_in(tensors):
            tensor.values = stretch.view(tensor.dtype).reshape(tensor.shape)
            if tensor.is_variable:
                self._variables.append(stretch)
        self._scratch = {}
        for buffer, offset in self._buffers:
            if buffer.scratch_of is not None:
                stretches = self._scratch.setdefault((buffer.subgraph, buffer.scratch_of), [])
                stretches.append(self._bytes[offset : offset + buffer.bytes])
        self.spoil()

    def spoil(self) -> None:
        """Fill all bytes with the pattern, except where variable tensors keep the state."""
        kept = [stretch.copy() for stretch in self._variables]
        self._bytes.fill(PATTERN)
        for stretch, values in zip(self._variables, kept, strict=True):
            stretch[:] = values

    def notify(self, event: Event) -> None:
        """Spoil the scratch buffers of a node before it is evaluated and after."""
        for stretch in self._scratch.get((event.node.subgraph, event.node.index), ()):
            stretch.fill(PATTERN)

    def _tensors_in(self, tensors: Sequence[Sequence[Tensor]]) -> Iterator[tuple[Tensor, Array]]:
        for buffer, offset in self._buffers:
            if buffer.tensor is None:
                continue
            known = buffer.subgraph < len(tensors) and buffer.tensor < len(tensors[buffer.subgraph])
            tensor = tensors[buffer.subgraph][buffer.tensor] if known else None
            if tensor is None or tensor.is_constant or tensor_bytes(tensor) != buffer.bytes:
                raise PlanError(
                    f"the memory plan is for another model: subgraph {buffer.subgraph} has no "
                    f"tensor {buffer.tensor} of {buffer.bytes} bytes to be placed"
                )
            yield tensor, self._bytes[offset : offset + buffer.bytes]


def _aligned_bytes(size: int) -> Array:
    raw = np.empty(size + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + size]
